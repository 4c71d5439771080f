// The one request that a load of case cost sends over and over, as HTTP/1.x or as a packet of the uwsgi protocol.
#ifndef FLOOR_COST_REQUEST_H
#define FLOOR_COST_REQUEST_H

#include <stddef.h>

#include "settings.h"

struct cost_request {
  char* data;
  size_t length;
};

void cost_request_make(struct cost_request* request, const struct settings* settings);

#endif
