/* types.h - the numbers of DNS that this program names (IANA's DNS parameters). */
#ifndef WIRE_TYPES_H
#define WIRE_TYPES_H

enum rr_type {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_MD = 3,
	TYPE_MF = 4,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_KEY = 25,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_SPF = 99,
	TYPE_NXNAME = 128,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_ANY = 255,
};

enum rr_class { CLASS_IN = 1, CLASS_CH = 3, CLASS_ANY = 255 };

enum opcode { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6, /* a DNAME makes a name too long (RFC 6672, 2.2) */
	RCODE_NOTAUTH = 9,  /* a key that is not known (RFC 8945, 5.2.1), nor is the zone that is
			       to be transferred (RFC 5936, 2.2.1) */
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23, /* RFC 7873, 8 */
};

#define DNS_HEADER_SIZE 12
#define DNS_NAME_MAX    255
#define DNS_LABEL_MAX   63
#define DNS_LABELS_MAX  127 /* without the root's */
#define DNS_MESSAGE_MAX 65535
#define DNS_POINTER     0xc0U  /* a length octet that begins a compression pointer, or higher */
#define DNS_POINTER_MAX 0x3fff /* RFC 1035, 4.1.4: a compression pointer has 14 bits */

#endif
