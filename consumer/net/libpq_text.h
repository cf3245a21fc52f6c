/*
 * libpq_text.h
 *    Messages of libpq as one line.
 */
#ifndef PENSTOCK_NET_LIBPQ_TEXT_H
#define PENSTOCK_NET_LIBPQ_TEXT_H

/*
 * libpq ends its messages with a newline, and some have several lines: one for
 * each address that was tried, and what may be wrong.  Returns them as one
 * line, with semicolons between sentences.  NULL is an empty text.  The caller
 * frees it.
 */
char *libpq_text_line(const char *text);

#endif /* PENSTOCK_NET_LIBPQ_TEXT_H */
