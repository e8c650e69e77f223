// The arguments of an operator's call: how JavaScript lays them out, and what they become by the operator's schema.
#pragma once

#include "environment.h"

#include <ATen/core/jit_type.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace chronotope {

// What JavaScript gives for an argument. The numbers are those in src/call-block.ts.
enum class Tag { Absent, Null, Tensor, Number, Boolean, Generator, Other, EmptyList, Tensors, Numbers, Booleans, Mixed };

struct Given {
  Tag tag;
  double number;       // the number, the boolean, the handle, the generator; of a list its length
  const double* list;  // of tensors their handles, for null kNoTensor
  size_t size() const { return static_cast<size_t>(number); }
};

// The arguments of a call in the call block, one after the other.
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const Environment& state)
      : info_(info), next_(state.block), end_(state.block + state.blockLength), index(number()), count(number()) {}

  Given next() {
    if (read_ == count) return {Tag::Absent, 0, nullptr};
    read_++;
    const auto tag = static_cast<Tag>(number());
    const Given given{tag, number(), next_};
    if (tag >= Tag::Tensors) take(given.size());
    return given;
  }

  // What is no number, tensor or list is an argument of the native call itself.
  Napi::Value other(const Given& given) const { return info_[given.size()]; }

 private:
  double number() {
    take(1);
    return next_[-1];
  }

  void take(size_t numbers) {
    if (numbers > static_cast<size_t>(end_ - next_)) throw Failure("argument", "the call block is too short");
    next_ += numbers;
  }

  const Napi::CallbackInfo& info_;
  const double* next_;
  const double* const end_;
  double read_ = 0;

 public:
  const double index;  // of the operator
  const double count;
};

// What a type of a schema is to this binding; an optional type is what it holds.
Kind kindOf(const c10::Type& type);
bool isWritten(const c10::Argument& argument);

[[noreturn]] void wrongType(const ArgumentPlan& argument, const Given& given, const char* expected);
void expect(Tag tag, const Given& given, const ArgumentPlan& argument, const char* expected);
bool isInteger(double number);

// The default of an argument that is not given.
c10::IValue toAbsent(const ArgumentPlan& argument);
c10::IValue toIValue(const Environment& state, const Arguments& arguments, const Given& given,
                     const ArgumentPlan& argument);

// Hands every integer of a list to `add`; a single one as often as `int[3]` says.
template <typename Add>
void eachInt(const Given& given, const ArgumentPlan& argument, Add add) {
  const char* expected = "a list of integers";
  const bool isRepeated = given.tag == Tag::Number;
  if (!isRepeated && given.tag != Tag::EmptyList) expect(Tag::Numbers, given, argument, expected);
  const size_t count = isRepeated ? std::max(argument.repeat, 1) : given.size();
  for (size_t i = 0; i < count; i++) {
    const double number = isRepeated ? given.number : given.list[i];
    if (!isInteger(number)) wrongType(argument, given, expected);
    add(static_cast<int64_t>(number));
  }
}

// Gives the plan a call with plain arguments, where the operator's C++ signature is one of the commonest.
void choosePlainCall(OperatorPlan& plan);

}  // namespace chronotope
