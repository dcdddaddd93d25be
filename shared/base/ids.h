/* Numbers that people type: division codes, citizen and credit numbers, mobiles, case numbers, UPU
 * S10 waybills. All checks take NULL (then: not valid). `why` gets a short English reason, or pass
 * NULL. */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

/* From the top: a site's parent is one tier above it. */
enum tier { TIER_DISTRICT, TIER_STREET, TIER_COMMUNITY };

/* 12 digits of a district (331002000000), a street (331002003000) or a community (331002003901).
 * What is left by out is set only when the answer is true. */
bool division_valid(const char *code);
bool division_tier(const char *code, enum tier *ret_tier);
bool division_parent(const char *code, char out[13]); /* false for a district */
bool division_street(const char *code, char out[13]); /* of a district: itself */
bool division_district(const char *code, char out[13]);
bool division_within(const char *code, const char *ancestor); /* a code is within itself */
const char *tier_name(enum tier tier);                        /* "district" "street" "community" */

/* 18 places, GB 11643: division, birth date, a number that is odd for men, a check. normalise: cut
 * spaces around, x -> X; a 15-place number is not converted; out is "" when the text cannot be one
 * (longer than 18). from15: of the old form, born 19xx. */
void citizen_number_normalise(const char *in, char out[19]);
bool citizen_number_check(const char *text, const char **why);
bool citizen_number_from15(const char *in, char out[19]);
int citizen_number_birth(const char *text); /* days since 1970; of a checked number */
char citizen_number_sex(const char *text);  /* 'M' or 'F'; of a checked number */

bool credit_code_check(const char *text, const char **why); /* of a body: 18 places, GB 32100 */
bool mobile_check(const char *text); /* 1 and ten digits; sample numbers 10.. too */

/* 21 digits: street (9), date yymmdd, seq 0..99999, check (mod11_10 of the 20). street9: at least
 * nine digits, the first nine count. */
void case_number_make(const char *street9, const char *yymmdd, unsigned seq, char out[22]);
bool case_number_check(const char *text);
char mod11_10(const char *digits); /* ISO 7064 MOD 11,10 check digit */
char mod37_36(const char *text);   /* ISO 7064 MOD 37,36 check character of [0-9A-Z]*; else 0 */

/* A waybill of UPU S10: two letters, eight digits, their check, two letters: "XA123456785CN". */
void s10_make(const char *service, const char *digits8, const char *country, char out[14]);
bool s10_check(const char *text);

#endif
