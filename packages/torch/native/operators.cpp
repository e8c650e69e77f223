// The generic binding: an operator is looked up by name and overload once, then called with arguments that are
// converted as its schema says.
#include "environment.h"

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <cmath>
#include <sstream>

namespace chronotope {
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

OperatorPlan planOperator(const std::string& name, const std::string& overload) {
  OperatorPlan plan{findOperator(name, overload), {}, {}};
  const auto& schema = plan.handle.schema();
  for (const auto& argument : schema.arguments()) plan.arguments.push_back(planArgument(argument));
  for (const auto& result : schema.returns()) plan.returnsWritten.push_back(isWritten(result));
  return plan;
}

// ---- JavaScript to libtorch

[[noreturn]] void wrongType(const ArgumentPlan& argument, const char* expected) {
  throw Failure("argument", "argument '" + argument.name + "' must be " + expected);
}

double toDouble(napi_env env, napi_value value, const ArgumentPlan& argument, const char* expected) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) wrongType(argument, expected);
  return number;
}

bool isInteger(double number) { return number == std::floor(number) && std::abs(number) <= kMaxSafeInteger; }

int64_t toInt(napi_env env, napi_value value, const ArgumentPlan& argument, const char* expected = "an integer") {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    if (!isInteger(number)) wrongType(argument, expected);
    return static_cast<int64_t>(number);
  }
  int64_t big;
  bool lossless;
  if (napi_get_value_bigint_int64(env, value, &big, &lossless) == napi_ok && lossless) return big;
  wrongType(argument, expected);
}

bool toBool(napi_env env, napi_value value, const ArgumentPlan& argument, const char* expected = "true or false") {
  bool flag;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) wrongType(argument, expected);
  return flag;
}

// JavaScript has one kind of number: an integral one is an int to libtorch, as `2` is in Python; anything else a float.
at::Scalar toScalar(napi_env env, napi_value value, const ArgumentPlan& argument) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    if (isInteger(number) && !(number == 0 && std::signbit(number))) return static_cast<int64_t>(number);
    return number;
  }
  bool flag;
  if (napi_get_value_bool(env, value, &flag) == napi_ok) return flag;
  return toInt(env, value, argument, "a number");
}

std::string toString(napi_env env, napi_value value, const ArgumentPlan& argument) {
  const Napi::Value text(env, value);
  if (!text.IsString()) wrongType(argument, "a string");
  return text.As<Napi::String>().Utf8Value();
}

uint32_t listLength(napi_env env, napi_value value, const ArgumentPlan& argument, const char* expected) {
  uint32_t length;
  if (napi_get_array_length(env, value, &length) != napi_ok) wrongType(argument, expected);
  return length;
}

template <typename T, typename Convert>
c10::List<T> toList(napi_env env, napi_value value, const ArgumentPlan& argument, const char* expected,
                    Convert convert) {
  const uint32_t length = listLength(env, value, argument, expected);
  c10::List<T> list;
  list.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    if (napi_get_element(env, value, i, &item) != napi_ok) wrongType(argument, expected);
    list.push_back(convert(item));
  }
  return list;
}

c10::IValue toIntList(napi_env env, napi_value value, const ArgumentPlan& argument) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    const auto repeated = toInt(env, value, argument);
    c10::List<int64_t> list;
    for (int32_t i = 0; i < std::max(argument.repeat, 1); i++) list.push_back(repeated);
    return list;
  }
  return toList<int64_t>(env, value, argument, "a list of integers",
                         [&](napi_value item) { return toInt(env, item, argument, "a list of integers"); });
}

c10::IValue toTensorList(const Handles& handles, napi_env env, napi_value value, const ArgumentPlan& argument) {
  return toList<at::Tensor>(env, value, argument, "a list of tensors", [&](napi_value item) {
    return handles.get(toDouble(env, item, argument, "a list of tensors"));
  });
}

c10::IValue toOptionalTensorList(const Handles& handles, napi_env env, napi_value value, const ArgumentPlan& argument) {
  using OptionalTensor = decltype(c10::IValue().toOptional<at::Tensor>());
  return toList<OptionalTensor>(env, value, argument, "a list of tensors and nulls", [&](napi_value item) {
    napi_valuetype type;
    napi_typeof(env, item, &type);
    if (type == napi_null || type == napi_undefined) return OptionalTensor();
    return OptionalTensor(handles.get(toDouble(env, item, argument, "a list of tensors and nulls")));
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

c10::IValue toAbsent(const ArgumentPlan& argument) {
  if (argument.hasDefault) return argument.defaultValue;
  if (argument.optional) return {};
  throw Failure("argument", "argument '" + argument.name + "' is missing");
}

c10::IValue toIValue(const Environment& state, napi_env env, napi_value value, const ArgumentPlan& argument) {
  double handle;
  if (argument.kind == Kind::Tensor && napi_get_value_double(env, value, &handle) == napi_ok) {
    return state.handles.get(handle);  // the most frequent first: every step into Node-API costs
  }
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (type == napi_undefined) return toAbsent(argument);
  if (type == napi_null) {
    if (!argument.optional) throw Failure("argument", "argument '" + argument.name + "' must not be null");
    return {};
  }
  switch (argument.kind) {
    case Kind::Tensor: return state.handles.get(toDouble(env, value, argument, "a tensor"));
    case Kind::TensorList: return toTensorList(state.handles, env, value, argument);
    case Kind::OptionalTensorList: return toOptionalTensorList(state.handles, env, value, argument);
    case Kind::Scalar: return toScalar(env, value, argument);
    case Kind::ScalarList:
      return toList<at::Scalar>(env, value, argument, "a list of numbers",
                                [&](napi_value item) { return toScalar(env, item, argument); });
    case Kind::Int: return toInt(env, value, argument);
    case Kind::IntList: return toIntList(env, value, argument);
    case Kind::Float: return toDouble(env, value, argument, "a number");
    case Kind::FloatList:
      return toList<double>(env, value, argument, "a list of numbers",
                            [&](napi_value item) { return toDouble(env, item, argument, "a list of numbers"); });
    case Kind::Bool: return toBool(env, value, argument);
    case Kind::BoolList:
      return toList<bool>(env, value, argument, "a list of booleans",
                          [&](napi_value item) { return toBool(env, item, argument, "a list of booleans"); });
    case Kind::String: return toString(env, value, argument);
    case Kind::DType: return dtypeOf(toString(env, value, argument));
    case Kind::Device: return c10::Device(toString(env, value, argument));
    case Kind::Layout: return toLayout(toString(env, value, argument));
    case Kind::MemoryFormat: return toMemoryFormat(toString(env, value, argument));
    case Kind::Generator: {
      const auto found = state.generators.find(toDouble(env, value, argument, "a generator"));
      if (found == state.generators.end()) wrongType(argument, "a generator");
      return found->second;
    }
    case Kind::Unsupported: break;
  }
  throw Failure("argument", "argument '" + argument.name + "' has a type that this binding does not convert");
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

// call(index, ...arguments in schema order)
Napi::Value call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto& state = Environment::of(env);
  const auto index = static_cast<size_t>(intArgument(info, 0));
  if (index >= state.operators.size()) throw Failure("argument", "no such operator index");
  const OperatorPlan& plan = state.operators[index];
  if (info.Length() > plan.arguments.size() + 1) {
    throw Failure("argument", "takes " + std::to_string(plan.arguments.size()) + " arguments, not " +
                                  std::to_string(info.Length() - 1));
  }
  // Taken, not used in place: the operator may call a hook, and the hook operators of its own.
  c10::Stack stack = std::move(state.stack);
  for (size_t i = 0; i < plan.arguments.size(); i++) {
    const auto& argument = plan.arguments[i];
    stack.push_back(i + 1 < info.Length() ? toIValue(state, env, info[i + 1], argument) : toAbsent(argument));
  }
  plan.handle.callBoxed(&stack);
  const Napi::Value result = takeResults(env, plan, stack);
  stack.clear();
  state.stack = std::move(stack);
  return result;
}

// ---- descriptions for the JavaScript side

// One letter an argument, for the conversion of Tensor objects to handles before the call.
char letterOf(const ArgumentPlan& argument) {
  switch (argument.kind) {
    case Kind::Tensor: return argument.optional ? 't' : 'T';
    case Kind::TensorList: return 'L';
    case Kind::OptionalTensorList: return 'l';
    case Kind::Generator: return 'G';
    default: return '.';
  }
}

char letterOfResult(const c10::Argument& result) {
  if (isWritten(result)) return 'w';
  const auto kind = kindOf(*result.real_type());
  if (kind == Kind::Tensor) return 'T';
  return kind == Kind::TensorList ? 'L' : '.';
}

// findOperator(name, overload) => { index, arguments: letters, names, results: letters, written: positions }
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
  std::string arguments;
  for (uint32_t i = 0; i < plan.arguments.size(); i++) {
    names.Set(i, plan.arguments[i].name);
    arguments += letterOf(plan.arguments[i]);
    if (isWritten(schema.arguments()[i])) written.Set(written.Length(), i);
  }
  std::string results;
  for (const auto& result : schema.returns()) results += letterOfResult(result);
  auto description = Napi::Object::New(env);
  description.Set("index", found->second);
  description.Set("arguments", arguments);
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
  define<lookUp>(exports, "findOperator");
  define<schemas>(exports, "schemas");
}

}  // namespace chronotope
