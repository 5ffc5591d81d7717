"""Certificates for tests: an authority of one's own, and what it signs."""

import subprocess


def openssl(folder, *arguments):
    subprocess.run(["openssl", *[str(a) for a in arguments]], cwd=folder, check=True, capture_output=True, timeout=30)


def make_authority(folder, name="ca"):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")


def make_certificate(folder, name, subject, alternatives, days=60, ca="ca"):
    """name.crt and name.key; of negative days: it has expired."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text(f"subjectAltName={alternatives}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-extfile", f"{name}.ext", "-days", days, "-out", f"{name}.crt")
