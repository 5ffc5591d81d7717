/* noise_vectors.h - handshakes with throw-away keys: wireguard-go took these initiations, and sent these
 * replies. Our private key is the octets 1 to 32, the preshared key those from 0xc0, the ephemeral
 * private key those from 0x40; the sender index is 11223344. */
#ifndef TESTS_UNIT_PROBE_NOISE_VECTORS_H
#define TESTS_UNIT_PROBE_NOISE_VECTORS_H

#define RESPONSE                                                       \
	"0200000080367e3511223344422ca09895cb2b80745803944962d80d33d7" \
	"35801d9a3920a30f9e74ee40ce5125c4fc68ae7e42f6ead5b5ff9a017ccf" \
	"b8ae4bdfd1df6e764af9b076ba186caa00000000000000000000000000000000"

#define UNTIL_TIMESTAMP                                                                            \
	"010000001122334479a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51add0e6ba7" \
	"c77ec40f989bf5bc031f5aa06a654d744c768e970ef91b431cffca203a1b1293fffb7f79c89cc4f777d0015d" \
	"c47a837d674d14"
#define NO_MAC2 "00000000000000000000000000000000"
#define INITIATION                                                                       \
	UNTIL_TIMESTAMP "3c0ce7309a5310650383228392fde7cbe3ba979d51cdc1337b9788db8c8ccf" \
			"a4b0758aa1dc" NO_MAC2
#define LATER_INITIATION                                                                 \
	UNTIL_TIMESTAMP "580ce7309ad38aa11dea9815883ecd4dcb108c7f5e3dc2ebfe031625f5b7c6" \
			"b2295945694d" NO_MAC2
#define COOKIE_REPLY                                                                       \
	"030000001122334409709d86ec0e92f9adf179446570b6ad0c36ad79027524daec0d7346a40f22fb" \
	"7770d148ff0536eb88ff30d9a0c25596f194dae26c32642f"
#define COOKIE "ca9b3ce3419a17fea8bef8f6158673c4"

#define OWN_PUBLIC    "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
#define SERVER_PUBLIC "883186b800b41d5cf0429695da9b3cc4f328ebcd184a6e482fa578c103f06c77"
#define TIMESTAMP     "400000006553f10a075bcd15"
#define LATER         "400000006553f16e075bcd15"

#endif
