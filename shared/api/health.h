/* /healthz, /readyz, /metrics. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

struct request;

void health_live(struct request *req, void *api);    /* the loop turns */
void health_ready(struct request *req, void *api);   /* and the store writes */
void health_metrics(struct request *req, void *api); /* Prometheus text 0.0.4 */

#endif
