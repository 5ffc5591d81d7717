#include "conf/country.h"

#include <stdlib.h>
#include <string.h>

/* ISO 3166-1 alpha-2, and XK: user-assigned there, but what GeoIP databases say for Kosovo.
 * Sorted. */
static const char countries[] = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZ"
				"BABBBDBEBFBGBHBIBJBLBMBNBOBQBRBS"
				"BTBVBWBYBZCACCCDCFCGCHCICKCLCMCN"
				"COCRCUCVCWCXCYCZDEDJDKDMDODZECEE"
				"EGEHERESETFIFJFKFMFOFRGAGBGDGEGF"
				"GGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHM"
				"HNHRHTHUIDIEILIMINIOIQIRISITJEJM"
				"JOJPKEKGKHKIKMKNKPKRKWKYKZLALBLC"
				"LILKLRLSLTLULVLYMAMCMDMEMFMGMHMK"
				"MLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNA"
				"NCNENFNGNINLNONPNRNUNZOMPAPEPFPG"
				"PHPKPLPMPNPRPSPTPWPYQARERORSRURW"
				"SASBSCSDSESGSHSISJSKSLSMSNSOSRSS"
				"STSVSXSYSZTCTDTFTGTHTJTKTLTMTNTO"
				"TRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI"
				"VNVUWFWSXKYEYTZAZMZW";

/* Their alpha-3 codes, in the same order. */
static const char alpha3[] = "ANDAREAFGATGAIAALBARMAGOATAARGASMAUTAUSABWALAAZEBIHBRBBGDBEL"
			     "BFABGRBHRBDIBENBLMBMUBRNBOLBESBRABHSBTNBVTBWABLRBLZCANCCKCOD"
			     "CAFCOGCHECIVCOKCHLCMRCHNCOLCRICUBCPVCUWCXRCYPCZEDEUDJIDNKDMA"
			     "DOMDZAECUESTEGYESHERIESPETHFINFJIFLKFSMFROFRAGABGBRGRDGEOGUF"
			     "GGYGHAGIBGRLGMBGINGLPGNQGRCSGSGTMGUMGNBGUYHKGHMDHNDHRVHTIHUN"
			     "IDNIRLISRIMNINDIOTIRQIRNISLITAJEYJAMJORJPNKENKGZKHMKIRCOMKNA"
			     "PRKKORKWTCYMKAZLAOLBNLCALIELKALBRLSOLTULUXLVALBYMARMCOMDAMNE"
			     "MAFMDGMHLMKDMLIMMRMNGMACMNPMTQMRTMSRMLTMUSMDVMWIMEXMYSMOZNAM"
			     "NCLNERNFKNGANICNLDNORNPLNRUNIUNZLOMNPANPERPYFPNGPHLPAKPOLSPM"
			     "PCNPRIPSEPRTPLWPRYQATREUROUSRBRUSRWASAUSLBSYCSDNSWESGPSHNSVN"
			     "SJMSVKSLESMRSENSOMSURSSDSTPSLVSXMSYRSWZTCATCDATFTGOTHATJKTKL"
			     "TLSTKMTUNTONTURTTOTUVTWNTZAUKRUGAUMIUSAURYUZBVATVCTVENVGBVIR"
			     "VNMVUTWLFWSMXKXYEMMYTZAFZMBZWE";

static const char continents[] = "AFANASEUNAOCSA";

/* What people write for what ISO 3166-1 reserves or never had. */
static const char *const habits[][2] = { { "UK", "GB" }, { "EL", "GR" } };

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

bool country_is_known(const char code[2])
{
	return bsearch(code, countries, sizeof(countries) / 2, 2, compare) != NULL;
}

bool country_of_alpha3(const char alpha[3], char code[2])
{
	for (size_t i = 0; i < sizeof(alpha3) / 3; i++) {
		if (memcmp(alpha3 + 3 * i, alpha, 3) == 0) {
			memcpy(code, countries + 2 * i, 2);
			return true;
		}
	}
	return false;
}

bool continent_is_known(const char code[2])
{
	return bsearch(code, continents, sizeof(continents) / 2, 2, compare) != NULL;
}

const char *country_meant(const char code[2])
{
	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		if (memcmp(habits[i][0], code, 2) == 0)
			return habits[i][1];
	}
	return NULL;
}
