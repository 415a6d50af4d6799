/* SPDX-License-Identifier: Apache-2.0
 * Records of a datagram one by one, and the messages of those that are handshake records in the clear. */
#include "wire/dtls_hello.h"

#include "wire/tls_handshake.h"
#include "wire/tls_record.h"

/* RFC 6347 section 4.2.2: a message, or a fragment of one. */
static bool next_message(struct reader *r, uint8_t *type, struct span *body)
{
    *type = reader_u8(r);
    uint32_t length = reader_u24(r);
    reader_skip(r, 2); /* message_seq */
    uint32_t offset = reader_u24(r), size = reader_u24(r);
    *body = reader_span(r, size);
    return !r->is_bad && offset == 0 && size == length;
}

bool dtls_hello_find(struct span datagram, uint8_t *type, struct span *body)
{
    struct reader r = reader_of(datagram);
    while (r.left.size) {
        uint8_t content = reader_u8(&r), major = reader_u8(&r), minor = reader_u8(&r);
        uint16_t epoch = reader_u16(&r);
        reader_skip(&r, 6); /* sequence_number */
        struct reader fragment = reader_of(reader_span(&r, reader_u16(&r)));
        bool is_dtls = major == 0xfe && (minor == 0xff || minor == 0xfd); /* 1.0, 1.2; 1.3 says 1.2 here */
        bool is_ssl = major == 1 && minor == 0;                           /* OpenSSL's DTLS1_BAD_VER, Cisco's */
        if (r.is_bad || !(is_dtls || is_ssl))
            break;
        while (content == TLS_HANDSHAKE && epoch == 0 && fragment.left.size && !fragment.is_bad)
            if (next_message(&fragment, type, body) && (*type == TLS_CLIENT_HELLO || *type == TLS_SERVER_HELLO))
                return true;
    }
    *body = span_of(NULL, 0);
    return false;
}
