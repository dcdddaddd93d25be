#include "base/ids.h"

#include "base/time.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* All of n places are digits and then the text ends. */
static bool digits_only(const char *s, size_t n)
{
    if (!s || strlen(s) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static int number_at(const char *s, int n)
{
    int v = 0;

    for (; n--; s++) {
        assert(*s >= '0' && *s <= '9'); /* the caller has looked */
        v = v * 10 + (*s - '0');
    }
    return v;
}

/* ---- divisions --------------------------------------------------------------------------------*/

bool division_tier(const char *code, enum tier *ret_tier)
{
    if (!digits_only(code, 12) || !memcmp(code, "00", 2) || !memcmp(code + 2, "00", 2) ||
        !memcmp(code + 4, "00", 2))
        return false;
    if (!memcmp(code + 6, "000", 3)) {
        if (memcmp(code + 9, "000", 3))
            return false;
        *ret_tier = TIER_DISTRICT;
    } else {
        *ret_tier = memcmp(code + 9, "000", 3) ? TIER_COMMUNITY : TIER_STREET;
    }
    return true;
}

bool division_valid(const char *code)
{
    enum tier tier;

    return division_tier(code, &tier);
}

static void cut(const char *code, size_t keep, char out[13])
{
    char made[13];

    assert(keep < 12);
    memcpy(made, code, 12);
    memset(made + keep, '0', 12 - keep);
    made[12] = 0;
    memcpy(out, made, 13);
}

bool division_parent(const char *code, char out[13])
{
    enum tier tier;

    if (!division_tier(code, &tier) || tier == TIER_DISTRICT)
        return false;
    cut(code, tier == TIER_COMMUNITY ? 9 : 6, out);
    return true;
}

bool division_street(const char *code, char out[13])
{
    if (!division_valid(code))
        return false;
    cut(code, 9, out);
    return true;
}

bool division_district(const char *code, char out[13])
{
    if (!division_valid(code))
        return false;
    cut(code, 6, out);
    return true;
}

bool division_within(const char *code, const char *ancestor)
{
    enum tier tier, above;

    if (!division_tier(code, &tier) || !division_tier(ancestor, &above))
        return false;
    return !memcmp(code, ancestor, above == TIER_DISTRICT ? 6 : above == TIER_STREET ? 9 : 12);
}

const char *tier_name(enum tier tier)
{
    static const char *const names[] = {"district", "street", "community"};

    assert(tier <= TIER_COMMUNITY);
    return names[tier];
}

/* ---- people and bodies ------------------------------------------------------------------------*/

static bool no(const char **why, const char *reason)
{
    if (why)
        *why = reason;
    return false;
}

void citizen_number_normalise(const char *in, char out[19])
{
    size_t n;

    out[0] = 0;
    if (!in)
        return;
    while (isspace((unsigned char)*in))
        in++;
    n = strlen(in);
    while (n && isspace((unsigned char)in[n - 1]))
        n--;
    if (n > 18)
        return;
    memmove(out, in, n);
    out[n] = 0;
    if (n == 18 && out[17] == 'x')
        out[17] = 'X';
}

static char citizen_check(const char *first17)
{
    static const int weight[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;

    for (int i = 0; i < 17; i++) {
        assert(first17[i] >= '0' && first17[i] <= '9');
        sum += (first17[i] - '0') * weight[i];
    }
    return "10X98765432"[sum % 11];
}

bool citizen_number_check(const char *text, const char **why)
{
    if (!text || strlen(text) != 18)
        return no(why, "not 18 places");
    for (int i = 0; i < 17; i++)
        if (text[i] < '0' || text[i] > '9')
            return no(why, "a place that is not a digit");
    if (!time_date_valid(number_at(text + 6, 4), number_at(text + 10, 2), number_at(text + 12, 2)))
        return no(why, "birth date not in the calendar");
    if (citizen_check(text) != (text[17] == 'x' ? 'X' : text[17]))
        return no(why, "check place wrong");
    return true;
}

bool citizen_number_from15(const char *in, char out[19])
{
    char made[19];

    if (!digits_only(in, 15))
        return false;
    memcpy(made, in, 6);
    memcpy(made + 6, "19", 2);
    memcpy(made + 8, in + 6, 9);
    made[17] = citizen_check(made);
    made[18] = 0;
    if (!citizen_number_check(made, NULL))
        return false;
    memcpy(out, made, 19);
    return true;
}

int citizen_number_birth(const char *text)
{
    return time_days_of(number_at(text + 6, 4), number_at(text + 10, 2), number_at(text + 12, 2));
}

char citizen_number_sex(const char *text)
{
    return (text[16] - '0') % 2 ? 'M' : 'F';
}

/* GB 11714: the organisation code's own check over eight places. */
static char organisation_check(const char *eight)
{
    static const int weight[] = {3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0, c;

    for (int i = 0; i < 8; i++)
        sum +=
            (isdigit((unsigned char)eight[i]) ? eight[i] - '0' : eight[i] - 'A' + 10) * weight[i];
    c = 11 - sum % 11;
    return c == 10 ? 'X' : c == 11 ? '0' : (char)('0' + c);
}

bool credit_code_check(const char *text, const char **why)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int weight[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    int sum = 0;

    if (!text || strlen(text) != 18)
        return no(why, "not 18 places");
    for (int i = 0; i < 18; i++)
        if (!strchr(alphabet, text[i]))
            return no(why, "a character that is not allowed");
    for (int i = 2; i < 8; i++)
        if (text[i] < '0' || text[i] > '9')
            return no(why, "division part is not digits");
    for (int i = 0; i < 17; i++)
        sum += (int)(strchr(alphabet, text[i]) - alphabet) * weight[i];
    if (text[17] != alphabet[(31 - sum % 31) % 31])
        return no(why, "check place wrong");
    if (text[16] != organisation_check(text + 8))
        return no(why, "organisation code's check wrong");
    return true;
}

bool mobile_check(const char *text)
{
    return digits_only(text, 11) && text[0] == '1';
}

/* ---- ISO 7064 and the numbers built on it -----------------------------------------------------*/

char mod11_10(const char *digits)
{
    int p = 10;

    for (; *digits; digits++) {
        int s;
        if (*digits < '0' || *digits > '9')
            return 0;
        s = (p + *digits - '0') % 10;
        p = (s ? s : 10) * 2 % 11;
    }
    return (char)('0' + (11 - p) % 10);
}

char mod37_36(const char *text)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int p = 36;

    for (; *text; text++) {
        const char *at = strchr(alphabet, *text);
        int s;
        if (!at)
            return 0;
        s = (p + (int)(at - alphabet)) % 36;
        p = (s ? s : 36) * 2 % 37;
    }
    return alphabet[(37 - p) % 36];
}

void case_number_make(const char *street9, const char *yymmdd, unsigned seq, char out[22])
{
    snprintf(out, 22, "%.9s%.6s%05u", street9, yymmdd, seq % 100000);
    out[20] = mod11_10(out);
    out[21] = 0;
}

bool case_number_check(const char *text)
{
    char first20[21];
    int month, day;

    if (!digits_only(text, 21))
        return false;
    month = number_at(text + 11, 2);
    day = number_at(text + 13, 2);
    if (!time_date_valid(2000 + number_at(text + 9, 2), month, day))
        return false;
    memcpy(first20, text, 20);
    first20[20] = 0;
    return mod11_10(first20) == text[20];
}

static char s10_digit(const char *digits8)
{
    static const int weight[] = {8, 6, 4, 2, 3, 5, 9, 7};
    int sum = 0, c;

    for (int i = 0; i < 8; i++)
        sum += (digits8[i] - '0') * weight[i];
    c = 11 - sum % 11;
    return c == 10 ? '0' : c == 11 ? '5' : (char)('0' + c);
}

void s10_make(const char *service, const char *digits8, const char *country, char out[14])
{
    snprintf(out, 14, "%.2s%.8s%c%.2s", service, digits8, s10_digit(digits8), country);
}

bool s10_check(const char *text)
{
    if (!text || strlen(text) != 13)
        return false;
    for (int i = 0; i < 13; i++) {
        bool letter = i < 2 || i > 10;
        if (letter ? text[i] < 'A' || text[i] > 'Z' : text[i] < '0' || text[i] > '9')
            return false;
    }
    return s10_digit(text + 2) == text[10];
}
