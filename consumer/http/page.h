/*
 * page.h
 *    The files of the page for a browser: consumer/http/page.
 *
 * They are part of the program, so that it needs nothing beside itself, and a
 * browser fetches nothing from elsewhere.
 */
#ifndef PENSTOCK_HTTP_PAGE_H
#define PENSTOCK_HTTP_PAGE_H

/* Each ends with a zero byte. */
extern const char page_html[];
extern const char page_css[];
extern const char page_js[];

#endif /* PENSTOCK_HTTP_PAGE_H */
