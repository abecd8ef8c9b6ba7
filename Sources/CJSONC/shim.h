// json-c's tokener and value accessors, which check JSON syntax and decode string escapes.
#pragma once
#include <json-c/json.h>
