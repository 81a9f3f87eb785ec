// Hyperscan on x86-64, Vectorscan elsewhere: one interface.
#pragma once
#include <hs/hs.h>
