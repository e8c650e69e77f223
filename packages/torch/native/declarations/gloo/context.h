#include <gloo/rendezvous/store.h>
