// The numbers and names that both sides of the JavaScript boundary use, as JavaScript sees them. src/binding/words.ts
// has them as constants, so that V8 compiles them in; a test holds those to what this hands out.
#pragma once

#include <napi.h>

namespace nearwire {

Napi::Object abi(Napi::Env env);

}  // namespace nearwire
