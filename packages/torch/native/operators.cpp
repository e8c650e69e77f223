// The generic binding: an operator is looked up by name and overload once, then called with arguments that are
// converted as its schema says (arguments.h).
#include "arguments.h"

#include <ATen/core/ivalue.h>

#include <sstream>

namespace chronotope {
namespace {

// ---- reading schemas

ArgumentPlan planArgument(const c10::Argument& argument) {
  const auto& fallback = argument.default_value();
  return {argument.name(),
          kindOf(*argument.real_type()),
          argument.real_type()->kind() == c10::TypeKind::OptionalType,
          argument.N() ? *argument.N() : 0,
          static_cast<bool>(fallback),
          fallback ? *fallback : c10::IValue()};
}

c10::OperatorHandle findOperator(const std::string& name, const std::string& overload) {
  auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (found) return *found;
  throw Failure("not-found", "libtorch has no operator " + name + (overload.empty() ? "" : "." + overload));
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
