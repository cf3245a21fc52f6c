/*
 * value.c
 *    Prints integers of the stream as PostgreSQL prints values of their types.
 */
#include "model/value.h"

#include <inttypes.h>
#include <string.h>

#include "model/relation.h"

#define US_PER_DAY INT64_C(86400000000)

/* Days from 0000-03-01 to 2000-01-01 in the proleptic Gregorian calendar. */
#define DAYS_TO_POSTGRES_EPOCH 730425

/* Number of days in 400 years, after which the calendar repeats. */
#define DAYS_PER_ERA 146097

typedef struct CivilDate
{
	int64_t year; /* astronomical year: 0 is 1 BC */
	int month;
	int day;
} CivilDate;

/*
 * Converts days since 2000-01-01 to a date.  The year is taken to begin in
 * March, so that the leap day is its last day, and the lengths of months follow
 * a pattern of 153 days in five months.
 */
static CivilDate
civil_from_days(int64_t days)
{
	int64_t shifted = days + DAYS_TO_POSTGRES_EPOCH;
	int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) /
				  DAYS_PER_ERA;
	int64_t day_of_era = shifted - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
						   day_of_era / (DAYS_PER_ERA - 1)) /
						  365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
										year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	CivilDate date = {
		.day = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1),
		.month = (int) (month_from_march < 10 ? month_from_march + 3
											  : month_from_march - 9),
	};

	date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
	return date;
}

static void
append_date(Buf *buf, const CivilDate *date)
{
	buf_printf(buf, "%04" PRId64 "-%02d-%02d",
			   date->year > 0 ? date->year : 1 - date->year, date->month,
			   date->day);
}

static void
append_era(Buf *buf, const CivilDate *date)
{
	if (date->year <= 0)
		buf_append_string(buf, " BC");
}

/* Appends HH:MM:SS and the fraction without trailing zeros. */
static void
append_time(Buf *buf, int64_t us)
{
	int64_t fraction = us % 1000000;
	int64_t seconds = us / 1000000;

	buf_printf(buf, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600,
			   seconds / 60 % 60, seconds % 60);
	if (fraction == 0)
		return;
	buf_printf(buf, ".%06" PRId64, fraction);
	while (buf->data[buf->length - 1] == '0')
		buf->data[--buf->length] = '\0';
}

static void
append_timestamp(Buf *buf, int64_t us, const char *zone)
{
	int64_t day = us / US_PER_DAY - (us % US_PER_DAY < 0 ? 1 : 0);
	CivilDate date = civil_from_days(day);

	append_date(buf, &date);
	buf_append_char(buf, ' ');
	append_time(buf, us % US_PER_DAY + (us % US_PER_DAY < 0 ? US_PER_DAY : 0));
	buf_append_string(buf, zone);
	append_era(buf, &date);
}

/*
 * Appends "infinity" or "-infinity" if the number is the end of the type's
 * range.
 */
static bool
append_infinity(Buf *buf, int64_t number, int64_t least, int64_t greatest)
{
	if (number == least)
		buf_append_string(buf, "-infinity");
	else if (number == greatest)
		buf_append_string(buf, "infinity");
	else
		return false;
	return true;
}

void
value_append_integer(Buf *buf, uint32_t type_oid, int64_t number)
{
	CivilDate date;

	switch (type_oid)
	{
		case TYPE_BOOL:
			buf_append_char(buf, number ? 't' : 'f');
			return;
		case TYPE_DATE:
			if (append_infinity(buf, number, INT32_MIN, INT32_MAX))
				return;
			date = civil_from_days((int32_t) number);
			append_date(buf, &date);
			append_era(buf, &date);
			return;
		case TYPE_TIME:
			append_time(buf, number);
			return;
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
			if (append_infinity(buf, number, INT64_MIN, INT64_MAX))
				return;
			append_timestamp(buf, number,
							 type_oid == TYPE_TIMESTAMPTZ ? "+00" : "");
			return;
		default:
			buf_printf(buf, "%" PRId64, number);
			return;
	}
}

bool
value_is_same(const Value *a, const Value *b)
{
	if (a->kind != b->kind)
		return false;
	switch ((ValueKind) a->kind)
	{
		case VALUE_INTEGER:
			return a->integer == b->integer;
		case VALUE_BINARY:
		case VALUE_TEXT:
			return a->length == b->length &&
				   memcmp(a->bytes, b->bytes, a->length) == 0;
		case VALUE_MISSING:
		case VALUE_NULL:
		case VALUE_UNCHANGED:
			return true;
	}
	check_failed("the kind of a value is known", __FILE__, __LINE__);
}
