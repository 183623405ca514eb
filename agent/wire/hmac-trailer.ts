/**
 * The trailer that signs an advertisement (draft-cassen-vrrp-auth-hmac, as keepalived 2.4 sends it). Pure: the MAC
 * function is passed in.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |    Type (1)   |    Key id     |           reserved            |
 *     +---------------+---------------+-------------------------------+
 *     |                        Seconds since 1970                     |
 *     +-------------------------------+-------------------------------+
 *     |        1/65536 second         |            Counter            |
 *     +-------------------------------+-------------------------------+
 *     |          HMAC-SHA256, the first 16 of its 32 bytes            |
 *     +---------------------------------------------------------------+
 *
 * What is signed: a pseudo-header of 20 bytes (IP family, VRRP version, VRID, 0, source address padded with zeros to 16
 * bytes), the VRRP message with a checksum of zero, the trailer with an HMAC of zeros. Not the destination: one signature
 * serves all unicast peers.
 */

/** A keyed function: HMAC-SHA256 of the bytes, 32 bytes. The argument is only valid during the call. */
export type Mac = (bytes: Uint8Array) => Uint8Array;

export const HMAC_TRAILER_LENGTH = 28;
