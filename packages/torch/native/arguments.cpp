#include "arguments.h"

#include <ATen/core/ivalue.h>

namespace chronotope {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

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

}  // namespace

// ---- schemas

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

bool isWritten(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

// ---- one argument

void wrongType(const ArgumentPlan& argument, const Given& given, const char* expected) {
  throw Failure("argument", "argument '" + argument.name + "' must be " + expected + ", and got " + describe(given.tag));
}

void expect(Tag tag, const Given& given, const ArgumentPlan& argument, const char* expected) {
  if (given.tag != tag) wrongType(argument, given, expected);
}

bool isInteger(double number) { return number == std::floor(number) && std::abs(number) <= kMaxSafeInteger; }

namespace {

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

}  // namespace

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

}  // namespace chronotope
