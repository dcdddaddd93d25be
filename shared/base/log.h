/* One line of key=value to stderr. Ids, sizes and reasons only: never names or ID numbers. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

/* Own names, since <syslog.h> owns LOG_INFO. */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* log_line(LOG_LEVEL_INFO, "store", "opened path=%s", path): time, level and area are put in front;
 * control characters become blanks, what is over 1 KB is cut. Any thread; lines do not mix. */
void log_line(enum log_level level, const char *area, const char *fmt, ...) PRINTF(3, 4);
void log_level_set(enum log_level least); /* default: LOG_LEVEL_INFO */

#endif
