// Packing arguments into a stack of IValues and taking them out again costs a good part of a small operator, most of it
// for lists of integers. So operators with one of the commonest C++ signatures are called with plain arguments.
#include "arguments.h"

#include <c10/util/OptionalArrayRef.h>
#include <c10/util/SmallVector.h>

#include <tuple>

namespace chronotope {
namespace {

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

}  // namespace

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

}  // namespace chronotope
