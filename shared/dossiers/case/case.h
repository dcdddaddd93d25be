/* Cases (办件): what a resident asks of the office, from the filing to the door. */
#ifndef CASE_CASE_H
#define CASE_CASE_H

#include "office/office.h"

/* For dossiers/all.c. */
extern const struct dossier_type case_type;

/* commands */
office_fn case_lodge;   /* POST /cases */
office_fn case_act;     /* {case_no, action, ...} */
office_fn delivery_act; /* {id, action, ...} */
/* queries */
office_fn case_list, case_show, case_track;
office_fn certificate_show, certificate_verify_token;
office_fn delivery_list, delivery_show;
office_fn statistics_show;

#endif
