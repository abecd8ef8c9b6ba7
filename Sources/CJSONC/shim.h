// json-c's tokener and value accessors: the judge of JSON syntax and the decoder of string escapes.
#pragma once
#include <json-c/json.h>
