// The generic binding: an operator is looked up by name and overload once, then called with arguments that are
// converted as its schema says.
#include "environment.h"

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <c10/util/OptionalArrayRef.h>
#include <c10/util/SmallVector.h>

#include <cmath>
#include <sstream>
#include <tuple>

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

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// ---- reading schemas

Kind listKindOf(const c10::Type& element) {
  switch (element.kind()) {
    case c10::TypeKind::TensorType: return Kind::TensorList;
    case c10::TypeKind::OptionalType: return Kind::OptionalTensorList;
    case c10::TypeKind::NumberType: return Kind::ScalarList;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::IntList;
    case c10::TypeKind::FloatType: return Kind::FloatList;
    case c10::TypeKind::BoolType: return Kind::BoolList;
    default: return Kind::Unsupported;
  }
}

Kind kindOf(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::OptionalType: return kindOf(*type.castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::ListType: return listKindOf(*type.castRaw<c10::ListType>()->getElementType());
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType: return Kind::Float;
    case c10::TypeKind::BoolType: return Kind::Bool;
    case c10::TypeKind::StringType: return Kind::String;
    case c10::TypeKind::ScalarTypeType: return Kind::DType;
    case c10::TypeKind::LayoutType: return Kind::Layout;
    case c10::TypeKind::MemoryFormatType: return Kind::MemoryFormat;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    default: return Kind::Unsupported;
  }
}

ArgumentPlan planArgument(const c10::Argument& argument) {
  const auto& fallback = argument.default_value();
  return {argument.name(),
          kindOf(*argument.real_type()),
          argument.real_type()->kind() == c10::TypeKind::OptionalType,
          argument.N() ? *argument.N() : 0,
          static_cast<bool>(fallback),
          fallback ? *fallback : c10::IValue()};
}

bool isWritten(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

c10::OperatorHandle findOperator(const std::string& name, const std::string& overload) {
  auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (found) return *found;
  throw Failure("not-found", "libtorch has no operator " + name + (overload.empty() ? "" : "." + overload));
}

// ---- JavaScript to libtorch

const char* describe(Tag tag) {
  switch (tag) {
    case Tag::Tensor: return "a Tensor";
    case Tag::Number: return "a number";
    case Tag::Boolean: return "a boolean";
    case Tag::Generator: return "a Generator";
    case Tag::EmptyList: return "an empty list";
    case Tag::Tensors: return "a list of Tensors";
    case Tag::Numbers: return "a list of numbers";
    case Tag::Booleans: return "a list of booleans";
    case Tag::Mixed: return "a list of something else";
    default: return "something else";
  }
}

[[noreturn]] void wrongType(const ArgumentPlan& argument, const Given& given, const char* expected) {
  throw Failure("argument", "argument '" + argument.name + "' must be " + expected + ", and got " + describe(given.tag));
}

void expect(Tag tag, const Given& given, const ArgumentPlan& argument, const char* expected) {
  if (given.tag != tag) wrongType(argument, given, expected);
}

bool isInteger(double number) { return number == std::floor(number) && std::abs(number) <= kMaxSafeInteger; }

int64_t toInt(const Arguments& arguments, const Given& given, const ArgumentPlan& argument) {
  if (given.tag == Tag::Number && isInteger(given.number)) return static_cast<int64_t>(given.number);
  if (given.tag == Tag::Other && arguments.other(given).IsBigInt()) {
    bool lossless;
    const int64_t big = arguments.other(given).As<Napi::BigInt>().Int64Value(&lossless);
    if (lossless) return big;
  }
  wrongType(argument, given, "an integer");
}

// JavaScript has one kind of number: an integral one is an int to libtorch, as `2` is in Python; anything else a float.
at::Scalar scalarOf(double number) {
  if (isInteger(number) && !(number == 0 && std::signbit(number))) return static_cast<int64_t>(number);
  return number;
}

at::Scalar toScalar(const Arguments& arguments, const Given& given, const ArgumentPlan& argument) {
  if (given.tag == Tag::Number) return scalarOf(given.number);
  if (given.tag == Tag::Boolean) return given.number != 0;
  if (given.tag == Tag::Other) return toInt(arguments, given, argument);
  wrongType(argument, given, "a number");
}

std::string toString(const Arguments& arguments, const Given& given, const ArgumentPlan& argument) {
  if (given.tag != Tag::Other || !arguments.other(given).IsString()) wrongType(argument, given, "a string");
  return arguments.other(given).As<Napi::String>().Utf8Value();
}

template <typename T, typename Convert>
c10::List<T> toList(Tag tag, const Given& given, const ArgumentPlan& argument, const char* expected, Convert convert) {
  if (given.tag != Tag::EmptyList) expect(tag, given, argument, expected);
  c10::List<T> list;
  list.reserve(given.size());
  for (size_t i = 0; i < given.size(); i++) list.push_back(convert(given.list[i]));
  return list;
}

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

c10::IValue toIntList(const Given& given, const ArgumentPlan& argument) {
  c10::List<int64_t> list;
  eachInt(given, argument, [&](int64_t number) { list.push_back(number); });
  return list;
}

c10::IValue toTensorList(const Handles& handles, const Given& given, const ArgumentPlan& argument) {
  const char* expected = "a list of Tensors";
  return toList<at::Tensor>(Tag::Tensors, given, argument, expected, [&](double handle) {
    if (handle == kNoTensor) wrongType(argument, {Tag::Mixed, 0, nullptr}, expected);
    return handles.get(handle);
  });
}

c10::IValue toOptionalTensorList(const Handles& handles, const Given& given, const ArgumentPlan& argument) {
  using OptionalTensor = decltype(c10::IValue().toOptional<at::Tensor>());
  return toList<OptionalTensor>(Tag::Tensors, given, argument, "a list of Tensors and nulls", [&](double handle) {
    return handle == kNoTensor ? OptionalTensor() : OptionalTensor(handles.get(handle));
  });
}

c10::MemoryFormat toMemoryFormat(const std::string& name) {
  if (name == "contiguous") return c10::MemoryFormat::Contiguous;
  if (name == "preserve") return c10::MemoryFormat::Preserve;
  if (name == "channelsLast") return c10::MemoryFormat::ChannelsLast;
  if (name == "channelsLast3d") return c10::MemoryFormat::ChannelsLast3d;
  throw Failure("argument", "unknown memory format '" + name + "' (contiguous, preserve, channelsLast, channelsLast3d)");
}

c10::Layout toLayout(const std::string& name) {
  if (name == "strided") return c10::Layout::Strided;
  if (name == "sparse") return c10::Layout::Sparse;
  throw Failure("argument", "unknown layout '" + name + "' (strided, sparse)");
}

at::Generator toGenerator(const Environment& state, const Given& given, const ArgumentPlan& argument) {
  expect(Tag::Generator, given, argument, "a Generator");
  const auto found = state.generators.find(given.number);
  if (found == state.generators.end()) wrongType(argument, given, "a Generator that has not been disposed");
  return found->second;
}

c10::IValue toAbsent(const ArgumentPlan& argument) {
  if (argument.hasDefault) return argument.defaultValue;
  if (argument.optional) return {};
  throw Failure("argument", "argument '" + argument.name + "' is missing");
}

c10::IValue toIValue(const Environment& state, const Arguments& arguments, const Given& given,
                     const ArgumentPlan& argument) {
  if (given.tag == Tag::Absent) return toAbsent(argument);
  if (given.tag == Tag::Null) {
    if (!argument.optional) throw Failure("argument", "argument '" + argument.name + "' must not be null");
    return {};
  }
  switch (argument.kind) {
    case Kind::Tensor:
      expect(Tag::Tensor, given, argument, "a Tensor");
      return state.handles.get(given.number);
    case Kind::TensorList: return toTensorList(state.handles, given, argument);
    case Kind::OptionalTensorList: return toOptionalTensorList(state.handles, given, argument);
    case Kind::Scalar: return toScalar(arguments, given, argument);
    case Kind::ScalarList: return toList<at::Scalar>(Tag::Numbers, given, argument, "a list of numbers", scalarOf);
    case Kind::Int: return toInt(arguments, given, argument);
    case Kind::IntList: return toIntList(given, argument);
    case Kind::Float:
      expect(Tag::Number, given, argument, "a number");
      return given.number;
    case Kind::FloatList:
      return toList<double>(Tag::Numbers, given, argument, "a list of numbers", [](double number) { return number; });
    case Kind::Bool:
      expect(Tag::Boolean, given, argument, "true or false");
      return given.number != 0;
    case Kind::BoolList:
      return toList<bool>(Tag::Booleans, given, argument, "a list of booleans", [](double flag) { return flag != 0; });
    case Kind::String: return toString(arguments, given, argument);
    case Kind::DType: return dtypeOf(toString(arguments, given, argument));
    case Kind::Device: return c10::Device(toString(arguments, given, argument));
    case Kind::Layout: return toLayout(toString(arguments, given, argument));
    case Kind::MemoryFormat: return toMemoryFormat(toString(arguments, given, argument));
    case Kind::Generator: return toGenerator(state, given, argument);
    case Kind::Unsupported: break;
  }
  throw Failure("argument", "argument '" + argument.name + "' has a type that this binding does not convert");
}

// ---- calls without boxes

// Packing arguments into a stack of IValues and taking them out again costs a good part of a small operator, most of it
// for lists of integers. So operators with one of the commonest C++ signatures are called with plain arguments.
// Plain<P> is an argument of the C++ type P: which schema types it stands for, and its value as long as the call takes.
template <typename P>
struct Plain;

struct OfIValue {
  c10::IValue value;
  OfIValue(const Environment& state, const Arguments& arguments, const ArgumentPlan& argument, const Given& given)
      : value(toIValue(state, arguments, given, argument)) {}
};

template <>
struct Plain<const at::Tensor&> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) { return type.kind() == c10::TypeKind::TensorType; }
  const at::Tensor& get() const { return value.toTensor(); }
};

template <>
struct Plain<const at::Scalar&> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) { return type.kind() == c10::TypeKind::NumberType; }
  at::Scalar get() const { return value.toScalar(); }
};

template <>
struct Plain<int64_t> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) { return type.kind() == c10::TypeKind::IntType; }
  int64_t get() const { return value.toInt(); }
};

template <>
struct Plain<c10::SymInt> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) { return type.kind() == c10::TypeKind::SymIntType; }
  c10::SymInt get() const { return c10::SymInt(value.toInt()); }
};

template <>
struct Plain<bool> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) { return type.kind() == c10::TypeKind::BoolType; }
  bool get() const { return value.toBool(); }
};

using OptionalDType = decltype(c10::IValue().toOptional<at::ScalarType>());
template <>
struct Plain<OptionalDType> : OfIValue {
  using OfIValue::OfIValue;
  static bool fits(const c10::Type& type) {
    return type.kind() == c10::TypeKind::OptionalType && kindOf(type) == Kind::DType;
  }
  OptionalDType get() const { return value.toOptional<at::ScalarType>(); }
};

template <typename Int>
struct IntsOf {
  c10::SmallVector<Int, 6> numbers;
  bool isNone = false;
  IntsOf(const Environment&, const Arguments&, const ArgumentPlan& argument, const Given& given) {
    if (given.tag == Tag::Absent) {
      const auto fallback = toAbsent(argument);
      isNone = fallback.isNone();
      if (!isNone) for (const int64_t number : fallback.toIntVector()) numbers.emplace_back(number);
    } else if (given.tag == Tag::Null && argument.optional) {
      isNone = true;
    } else {
      eachInt(given, argument, [this](int64_t number) { numbers.emplace_back(number); });
    }
  }
  static bool isList(const c10::Type& type, c10::TypeKind element) {
    return type.kind() == c10::TypeKind::ListType &&
           type.castRaw<c10::ListType>()->getElementType()->kind() == element;
  }
};

template <>
struct Plain<at::IntArrayRef> : IntsOf<int64_t> {
  using IntsOf::IntsOf;
  static bool fits(const c10::Type& type) { return isList(type, c10::TypeKind::IntType); }
  at::IntArrayRef get() const { return numbers; }
};

template <>
struct Plain<c10::SymIntArrayRef> : IntsOf<c10::SymInt> {
  using IntsOf::IntsOf;
  static bool fits(const c10::Type& type) { return isList(type, c10::TypeKind::SymIntType); }
  c10::SymIntArrayRef get() const { return numbers; }
};

template <>
struct Plain<at::OptionalIntArrayRef> : IntsOf<int64_t> {
  using IntsOf::IntsOf;
  static bool fits(const c10::Type& type) {
    return type.kind() == c10::TypeKind::OptionalType &&
           isList(*type.castRaw<c10::OptionalType>()->getElementType(), c10::TypeKind::IntType);
  }
  at::OptionalIntArrayRef get() const { return isNone ? at::OptionalIntArrayRef() : at::OptionalIntArrayRef(numbers); }
};

template <typename Indices, typename... Parameters>
struct Signature;

template <size_t... i, typename... Parameters>
struct Signature<std::index_sequence<i...>, Parameters...> {
  static at::Tensor call(const Environment& state, const OperatorPlan& plan, Arguments& given) {
    // Braces: the arguments are read in their order.
    const std::tuple<Plain<Parameters>...> values{
        Plain<Parameters>(state, given, plan.arguments[i], given.next())...};
    return plan.handle.typed<at::Tensor(Parameters...)>().call(std::get<i>(values).get()...);
  }

  static bool fits(const c10::OperatorHandle& handle) {
    const auto& arguments = handle.schema().arguments();
    if (arguments.size() != sizeof...(Parameters)) return false;
    if (!(... && (Plain<Parameters>::fits(*arguments[i].real_type()) && !isWritten(arguments[i])))) return false;
    try {
      handle.typed<at::Tensor(Parameters...)>();
      return true;
    } catch (const c10::Error&) {
      return false;  // this libtorch has declared it otherwise
    }
  }
};

template <typename... Parameters>
bool usePlainCall(OperatorPlan& plan) {
  using Fitting = Signature<std::index_sequence_for<Parameters...>, Parameters...>;
  if (!Fitting::fits(plan.handle)) return false;
  plan.plainCall = &Fitting::call;
  return true;
}

void choosePlainCall(OperatorPlan& plan) {
  using T = const at::Tensor&;
  const auto& returns = plan.handle.schema().returns();
  if (returns.size() != 1 || returns[0].real_type()->kind() != c10::TypeKind::TensorType) return;
  usePlainCall<T>(plan) || usePlainCall<T, T>(plan) || usePlainCall<T, T, const at::Scalar&>(plan) ||
      usePlainCall<T, const at::Scalar&>(plan) || usePlainCall<T, const at::Scalar&, const at::Scalar&>(plan) ||
      usePlainCall<T, int64_t>(plan) || usePlainCall<T, int64_t, int64_t>(plan) ||
      usePlainCall<T, int64_t, c10::SymInt>(plan) || usePlainCall<T, int64_t, c10::SymInt, c10::SymInt>(plan) ||
      usePlainCall<T, at::IntArrayRef>(plan) || usePlainCall<T, c10::SymIntArrayRef>(plan) ||
      usePlainCall<T, c10::SymIntArrayRef, bool>(plan) || usePlainCall<T, int64_t, OptionalDType>(plan) ||
      usePlainCall<T, at::OptionalIntArrayRef, bool, OptionalDType>(plan);
}

// ---- libtorch to JavaScript

Napi::Value fromIValue(Napi::Env env, const c10::IValue& value);

template <typename List>
Napi::Value fromList(Napi::Env env, const List& list) {
  auto array = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); i++) array.Set(i, fromIValue(env, list[i]));
  return array;
}

Napi::Value fromIValue(Napi::Env env, const c10::IValue& value) {
  if (value.isTensor()) return wrap(env, value.toTensor());
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isNone()) return env.Null();
  if (value.isList()) return fromList(env, value.toListRef());
  if (value.isTuple()) return fromList(env, value.toTupleRef().elements());
  throw Failure("argument", "the operator returned a " + value.tagKind() + ", which this binding does not convert");
}

Napi::Value takeResults(Napi::Env env, const OperatorPlan& plan, const c10::Stack& results) {
  auto take = [&](size_t i) -> Napi::Value {
    return plan.returnsWritten[i] ? env.Undefined() : fromIValue(env, results[i]);
  };
  if (results.empty()) return env.Undefined();
  if (results.size() == 1) return take(0);
  auto array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); i++) array.Set(i, take(i));
  return array;
}

// ---- the call

OperatorPlan planOperator(const std::string& name, const std::string& overload) {
  OperatorPlan plan{findOperator(name, overload), {}, {}, nullptr};
  const auto& schema = plan.handle.schema();
  for (const auto& argument : schema.arguments()) plan.arguments.push_back(planArgument(argument));
  for (const auto& result : schema.returns()) plan.returnsWritten.push_back(isWritten(result));
  choosePlainCall(plan);
  return plan;
}

Napi::Value callBoxed(Napi::Env env, Environment& state, const OperatorPlan& plan, Arguments& arguments) {
  // Taken, not used in place: the operator may call a hook, and the hook operators of its own.
  c10::Stack stack = std::move(state.stack);
  for (const auto& argument : plan.arguments) stack.push_back(toIValue(state, arguments, arguments.next(), argument));
  plan.handle.callBoxed(&stack);
  const Napi::Value result = takeResults(env, plan, stack);
  stack.clear();
  state.stack = std::move(stack);
  return result;
}

// call(...values of JavaScript), with everything else in the call block: the operator's index, how many arguments, and
// these in the order of the schema. The handle of a plain call's result is left there; other results are returned.
Napi::Value call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto& state = Environment::of(env);
  Arguments arguments(info, state);
  if (!(arguments.index >= 0 && arguments.index < static_cast<double>(state.operators.size()))) {
    throw Failure("argument", "no such operator index");
  }
  const OperatorPlan& plan = state.operators[static_cast<size_t>(arguments.index)];
  if (arguments.count > static_cast<double>(plan.arguments.size())) {
    throw Failure("argument", "takes " + std::to_string(plan.arguments.size()) + " arguments, not " +
                                  std::to_string(static_cast<size_t>(arguments.count)));
  }
  if (plan.plainCall == nullptr) return callBoxed(env, state, plan, arguments);
  at::Tensor result = plan.plainCall(state, plan, arguments);
  state.block[0] = result.defined() ? state.handles.add(std::move(result)) : kNoTensor;
  return env.Undefined();
}

// setCallBlock(Float64Array): where calls are laid out from now on
void setCallBlock(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray()) throw Failure("argument", "expected a typed array");
  auto& state = Environment::of(info.Env());
  auto block = info[0].As<Napi::Float64Array>();
  state.block = block.Data();
  state.blockLength = block.ElementLength();
  state.blockOwner = Napi::Persistent(block.As<Napi::Object>());
}

// ---- descriptions for the JavaScript side

char letterOfResult(const c10::Argument& result) {
  if (isWritten(result)) return 'w';
  const auto kind = kindOf(*result.real_type());
  if (kind == Kind::Tensor) return 'T';
  return kind == Kind::TensorList ? 'L' : '.';
}

// findOperator(name, overload) => { index, names, results: letters, written: positions }
Napi::Value lookUp(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto& state = Environment::of(env);
  const auto name = stringArgument(info, 0);
  const auto overload = stringArgument(info, 1);
  const auto key = name + "." + overload;
  auto found = state.operatorIndex.find(key);
  if (found == state.operatorIndex.end()) {
    state.operators.push_back(planOperator(name, overload));
    found = state.operatorIndex.emplace(key, static_cast<uint32_t>(state.operators.size() - 1)).first;
  }
  const OperatorPlan& plan = state.operators[found->second];
  const auto& schema = plan.handle.schema();
  auto names = Napi::Array::New(env);
  auto written = Napi::Array::New(env);
  for (uint32_t i = 0; i < plan.arguments.size(); i++) {
    names.Set(i, plan.arguments[i].name);
    if (isWritten(schema.arguments()[i])) written.Set(written.Length(), i);
  }
  std::string results;
  for (const auto& result : schema.returns()) results += letterOfResult(result);
  if (plan.plainCall != nullptr) results = "P";
  auto description = Napi::Object::New(env);
  description.Set("index", found->second);
  description.Set("names", names);
  description.Set("results", results);
  description.Set("written", written);
  return description;
}

// schemas(name) => the schemas of every overload, as libtorch prints them; all operators when name is empty
Napi::Value schemas(const Napi::CallbackInfo& info) {
  const auto wanted = stringArgument(info, 0);
  auto& dispatcher = c10::Dispatcher::singleton();
  auto list = Napi::Array::New(info.Env());
  for (const auto& name : dispatcher.getAllOpNames()) {
    if (!wanted.empty() && name.name != wanted) continue;
    const auto found = dispatcher.findSchema(name);
    if (!found) continue;
    std::ostringstream text;
    text << found->schema();
    list.Set(list.Length(), text.str());
  }
  return list;
}

}  // namespace

void defineOperators(Napi::Object exports) {
  define<call>(exports, "call");
  define<setCallBlock>(exports, "setCallBlock");
  define<lookUp>(exports, "findOperator");
  define<schemas>(exports, "schemas");
}

}  // namespace chronotope
