/*
 * libpq_text.h
 *    Turns messages of libpq into one line.
 */
#ifndef PENSTOCK_NET_LIBPQ_TEXT_H
#define PENSTOCK_NET_LIBPQ_TEXT_H

/*
 * Returns a message of libpq as one line, with semicolons between its
 * sentences. libpq ends each message with a newline.  Some messages have
 * several lines: one for each address that libpq tried, and a hint what may be
 * wrong.  If `text` is NULL, returns an empty string.  The caller frees the
 * result.
 */
char *libpq_text_line(const char *text);

#endif /* PENSTOCK_NET_LIBPQ_TEXT_H */
