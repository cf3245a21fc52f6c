/*
 * page.c
 *    Takes the files in as they are when the program is built.
 *
 * The assembler reads them, from the top of the project, where make runs; so no
 * tool is needed that makes a C source of them.
 */
#include "http/page.h"

#define TAKE_IN(symbol, path)                                                  \
	__asm__(".pushsection .rodata\n"                                           \
			".global " symbol "\n" symbol ":\n"                                \
			".incbin \"" path "\"\n"                                           \
			".byte 0\n"                                                        \
			".popsection\n")

TAKE_IN("page_html", "consumer/http/page/page.html");
TAKE_IN("page_css", "consumer/http/page/page.css");
TAKE_IN("page_js", "consumer/http/page/page.js");
