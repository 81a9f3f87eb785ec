// The pull parser of libxml2.
#pragma once
#include <libxml/xmlreader.h>
