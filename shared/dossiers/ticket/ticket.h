/* Tickets (号): a place in the queue of a hall (办事大厅). */
#ifndef TICKET_TICKET_H
#define TICKET_TICKET_H

#include "office/office.h"

/* For dossiers/all.c. */
extern const struct dossier_type ticket_type;

/* commands */
office_fn ticket_issue; /* {queue, class?, item?} -> the ticket, and its code, told once */
office_fn ticket_act;   /* {id, action, window?, behind?, queue?, keeps_place?, return_to_me?} */
office_fn queue_next;   /* {queue, window} -> the ticket that is called */
/* queries */
office_fn ticket_list; /* {queue?, state?, day?, limit?, cursor?} -> {tickets, next?} */
office_fn ticket_show; /* {id} */
office_fn queue_show;  /* {queue, hall?} -> who is called and served, how many wait */

#endif
