// The operators that get a typed function and, where their first argument is `self`, a method.
//
// A line: name | overloads | description | arguments with a default that are positional all the same.
// `name` is the function's; `name=aten_name` where they are not the same but for the case; `name[_]` makes the in-place
// form as well. `-` is the overload without a name. Where several overloads fit, the first is taken.
export const OPERATOR_TABLE = `
# arithmetic
add[_] | Tensor Scalar | x + alpha * other.
sub[_] | Tensor Scalar | x - alpha * other.
rsub | Tensor Scalar | other - alpha * x.
mul[_] | Tensor Scalar | x * other.
div[_] | Tensor_mode Scalar_mode | x / other; roundingMode 'floor' or 'trunc' rounds the quotient.
floorDivide | - Scalar | The quotient rounded down.
remainder[_] | Tensor Scalar | Python's modulus: the sign is the divisor's.
fmod | Tensor Scalar | C's modulus: the sign is the dividend's.
pow | Tensor_Tensor Tensor_Scalar Scalar | x to the power of exponent.
pow_ | Tensor Scalar | x to the power of exponent, in place.
neg[_] | - | -x.
abs[_] | - | The absolute value.
sign | - | -1, 0 or 1.
sqrt[_] | - | The square root.
rsqrt[_] | - | 1 / sqrt(x).
square[_] | - | x * x.
reciprocal[_] | - | 1 / x.
exp[_] | - | e to the power of x.
exp2 | - | 2 to the power of x.
expm1 | - | exp(x) - 1, exact near 0.
log[_] | - | The natural logarithm.
log2 | - | The logarithm to base 2.
log10 | - | The logarithm to base 10.
log1p | - | log(1 + x), exact near 0.
sin | - | The sine.
cos | - | The cosine.
tan | - | The tangent.
asin | - | The inverse sine.
acos | - | The inverse cosine.
atan | - | The inverse tangent.
atan2 | - | The angle of the point (other, x).
sinh | - | The hyperbolic sine.
cosh | - | The hyperbolic cosine.
tanh[_] | - | The hyperbolic tangent.
erf | - | The error function.
erfinv | - | The inverse of the error function.
lgamma | - | The logarithm of the gamma function.
digamma | - | The derivative of lgamma.
floor[_] | - | The greatest integer that is not greater.
ceil[_] | - | The least integer that is not less.
round[_] | - | The nearest integer, halves to the even one.
trunc | - | The integer part.
frac | - | The fractional part.
clamp[_] | - | Limits every element to [min, max].
clampTensor=clamp | Tensor | Limits every element to [min, max], both tensors.
clampMin[_] | - Tensor | At least min.
clampMax[_] | - Tensor | At most max.
maximum | - | The greater of two tensors, element by element.
minimum | - | The lesser of two tensors, element by element.
lerp[_] | Tensor Scalar | x + weight * (end - x).
addcmul[_] | - | x + value * tensor1 * tensor2.
addcdiv[_] | - | x + value * tensor1 / tensor2.
nanToNum | - | Replaces NaN and infinities.

# comparison and logic
eq | Tensor Scalar | x == other; a bool tensor.
ne | Tensor Scalar | x != other; a bool tensor.
lt | Tensor Scalar | x < other; a bool tensor.
le | Tensor Scalar | x <= other; a bool tensor.
gt | Tensor Scalar | x > other; a bool tensor.
ge | Tensor Scalar | x >= other; a bool tensor.
equal | - | Whether two tensors have the same shape and elements.
allclose | - | Whether all |x - other| <= atol + rtol * |other|.
isclose | - | Where |x - other| <= atol + rtol * |other|.
isnan | - | Where the elements are NaN.
isinf | - | Where the elements are infinite.
isfinite | - | Where the elements are neither NaN nor infinite.
logicalAnd[_] | - | Where both are true.
logicalOr[_] | - | Where one is true.
logicalXor | - | Where exactly one is true.
logicalNot[_] | - | Where x is false.
bitwiseAnd | Tensor Scalar | The bits that both have.
bitwiseOr | Tensor Scalar | The bits that one has.
bitwiseNot | - | The bits inverted.
where | self ScalarSelf ScalarOther Scalar | x where condition, else other.
nonzero | - | The indices of the elements that are not zero, [count, ndim] int64.

# reductions
sum | dim_IntList | The sum, over all dimensions or over dim.
mean | dim | The mean, over all dimensions or over dim.
nansum | - | The sum without the NaNs. | dim
prod | dim_int - | The product, over all elements or over one dimension.
std | correction | The standard deviation, with Bessel's correction unless correction is 0.
var=var | correction | The variance, with Bessel's correction unless correction is 0.
varMean | correction | Variance and mean.
stdMean | correction | Standard deviation and mean.
max | - other | The greatest element; or, of two tensors, the greater element by element.
min | - other | The least element; or, of two tensors, the lesser element by element.
maxDim=max | dim | The greatest elements along dim and their indices.
minDim=min | dim | The least elements along dim and their indices.
amax | - | The greatest elements over dimensions; ties share the gradient. | dim
amin | - | The least elements over dimensions; ties share the gradient. | dim
aminmax | - | The least and the greatest elements.
argmax | - | The index of the greatest element. | dim
argmin | - | The index of the least element. | dim
any | dim - | Whether one element is true.
all | dim - | Whether all elements are true.
norm | ScalarOpt_dim Scalar | The p-norm (2 by default), of all elements or along dim. | p
logsumexp | - | log(sum(exp(x))) along dim.
cumsum | - | The running sum along dim.
cumprod | - | The running product along dim.
diff | - | The n-th difference along dim.
median | - | The median; of two in the middle the lesser.
medianDim=median | dim | The medians along dim and their indices.
quantile | - scalar | The q-quantile, 0 <= q <= 1.
countNonzero | - | The number of elements that are not zero.
histc | - | Counts in equal bins between min and max (of the data when both are 0).
bincount | - | Counts of every non-negative integer.
bucketize | Tensor | The index of the bucket between sorted boundaries.
searchsorted | Tensor Scalar | The index at which a value would be inserted to keep the order.
cosineSimilarity | - | The cosine of the angle between the vectors along dim.
pairwiseDistance | - | The p-norm of the difference of the vectors along the last dimension.
cdist | - | The p-norm distances between all pairs of rows.
dist | - | The p-norm of x - other.

# shape
view | - | The same memory in another shape; -1 stands for what is left over.
viewAs | - | The same memory in the shape of other.
viewDtype=view | dtype | The same memory read as another dtype.
reshape | - | Another shape; a copy where the memory does not allow a view.
flatten | using_ints | Dimensions startDim to endDim as one.
unflatten | int | One dimension as several.
transpose | int | Swaps two dimensions.
permute | - | The dimensions in another order.
movedim | intlist int | Moves dimensions to other positions.
transpose_ | - | Swaps two dimensions, in place.
t | - | Swaps the dimensions of a matrix.
squeeze[_] | dim - | Drops dimensions of size 1.
unsqueeze[_] | - | Inserts a dimension of size 1.
expand | - | Repeats dimensions of size 1 without copying.
expandAs | - | Repeats dimensions of size 1 to the shape of other, without copying.
broadcastTo | - | As expand.
repeat | - | Copies of x along every dimension.
repeatInterleave | self_int self_Tensor | Every element several times.
tile | - | Copies of x along every dimension; missing dimensions are 1.
narrow | - | length elements of dim from start on; a view.
select | int | One index of dim; a view without that dimension.
slice | Tensor | Elements start to end (exclusive) of dim by step; a view.
split | Tensor sizes | Pieces of one size or of the given sizes along dim; views.
chunk | - | A number of pieces along dim; views.
unbind | int | The slices along dim; views.
unfold | - | Windows of a size along a dimension, in a new last dimension; a view.
im2col | - | Sliding local blocks of images as columns.
col2im | - | Adds columns of sliding local blocks to images.
asStrided | - | A view with any sizes and strides of the storage.
contiguous | - | A tensor whose memory is in row-major order; itself where it is already.
clone | - | A copy through which gradients flow.
detach | - | The same memory without history; no gradient flows through it.
cat | - | Joins tensors along a dimension that exists.
stack | - | Joins tensors along a new dimension.
flip | - | Reverses dimensions.
fliplr | - | Reverses the second dimension.
roll | - | Shifts elements along dimensions; what leaves at the end enters at the start.
rot90 | - | Rotates by 90 degrees, k times, in the plane of two dimensions.
triu | - | The upper triangle.
tril | - | The lower triangle.
diag | - | A vector as a diagonal matrix, or the diagonal of a matrix.
diagonal | - | The diagonal of two dimensions; a view.
diagEmbed | - | Vectors as diagonal matrices.
meshgrid | indexing | The coordinates of a grid.

# indexing
index | Tensor | Elements by lists of indices or masks, one per leading dimension; null takes all.
indexPut[_] | - | Writes values at lists of indices.
indexSelect | - | The given indices of dim.
indexAdd[_] | - | Adds alpha * source at the given indices of dim.
indexCopy[_] | - | Writes source at the given indices of dim.
indexFill[_] | int_Scalar int_Tensor | Writes a value at the given indices of dim.
gather | - | Elements along dim, chosen by an index tensor.
scatter[_] | src value | Writes src along dim at the positions of an index tensor.
scatterAdd[_] | - | Adds src along dim at the positions of an index tensor.
takeAlongDim | - | Elements along dim by the indices that argsort gives.
take | - | Elements by their index in the flattened tensor.
maskedSelect | - | The elements where mask is true, as a vector.
maskedFill[_] | Scalar Tensor | value where mask is true.
maskedScatter | - | Elements of source where mask is true.
sort | - | The sorted elements along dim and their indices.
argsort | - | The indices that sort the elements along dim.
topk | - | The k greatest elements along dim and their indices.
kthvalue | - | The k-th least element along dim and its index.
oneHot | - | 0/1 vectors of integers, int64 [..., numClasses].
uniqueDim=unique_dim | - | The distinct slices along dim, where each went, and how often it occurs.
unique2=_unique2 | - | The distinct elements, where each went, and how often it occurs.
tensordot | - | Contracts pairs of dimensions.

# linear algebra
matmul | - | The matrix product, batched over leading dimensions.
mm | - | The product of two matrices.
bmm | - | The products of two batches of matrices.
mv | - | The product of a matrix and a vector.
dot | - | The inner product of two vectors.
outer | - | The outer product of two vectors.
addmm | - | beta * x + alpha * mat1 @ mat2.
addmv | - | beta * x + alpha * mat @ vec.
baddbmm | - | beta * x + alpha * batch1 @ batch2, batched.
einsum | - | Sums of products in Einstein's notation, such as 'bij,bjk->bik'.
linalgVectorNorm | - | The vector norm of any order.
linalgNorm | - | The norm of vectors or matrices.
linalgInv | - | The inverse matrix.
linalgSolve | - | Solves A x = B.
linalgCholesky | - | The Cholesky factor.
linalgQr | - | The QR decomposition.
linalgSvd | - | The singular value decomposition.
linalgEigh | - | Eigenvalues and vectors of a symmetric matrix.
linalgDet | - | The determinant.
kron | - | The Kronecker product.
cross | - | The cross product.
trace | - | The sum of the diagonal.

# activations
relu[_] | - | max(x, 0).
relu6 | - | min(max(x, 0), 6).
leakyRelu | - | x, or negativeSlope * x where negative.
prelu | - | x, or weight * x where negative, with one weight a channel.
elu | - | x, or alpha * (exp(x) - 1) where negative.
celu | - | max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).
selu | - | The self-normalising ELU.
gelu | - | x times the normal distribution function of x; approximate 'none' or 'tanh'.
silu[_] | - | x * sigmoid(x).
mish | - | x * tanh(softplus(x)).
hardtanh | - | x limited to [minVal, maxVal].
hardswish | - | x * relu6(x + 3) / 6.
hardsigmoid | - | relu6(x + 3) / 6.
sigmoid[_] | - | 1 / (1 + exp(-x)).
logSigmoid | - | log(sigmoid(x)), exact.
softplus | - | log(1 + exp(beta * x)) / beta.
softmax | int | exp(x) / sum(exp(x)) along dim.
logSoftmax | int | log(softmax(x)) along dim, exact.
glu | - | The first half times the sigmoid of the second.

# layers
linear | - | input @ weight.T + bias; weight [out, in].
bilinear | - | A bilinear form of two inputs.
embedding | - | Rows of weight by index.
conv1d | - | Convolution of [N, C, L] with weight [out, C / groups, k].
conv2d | - | Convolution of [N, C, H, W] with weight [out, C / groups, kH, kW].
conv3d | - | Convolution of [N, C, T, H, W] with weight [out, C / groups, kT, kH, kW].
convTranspose1d=conv_transpose1d | - | Transposed convolution of [N, C, L].
convTranspose2d=conv_transpose2d | input | Transposed convolution of [N, C, H, W].
convTranspose3d=conv_transpose3d | input | Transposed convolution of [N, C, T, H, W].
batchNorm | - | Batch normalisation; updates the running statistics in training.
layerNorm | - | Normalises the last dimensions.
groupNorm | - | Normalises groups of channels.
instanceNorm | - | Normalises every channel of every item.
dropout=dropout | - | Sets a share p of the elements to zero and scales the rest by 1 / (1 - p). | train=training:true
featureDropout=feature_dropout | - | Sets whole channels to zero. | train=training:true
maxPool1d=max_pool1d | - | The greatest element of sliding windows, [N, C, L].
maxPool2d=max_pool2d | - | The greatest element of sliding windows, [N, C, H, W].
maxPool3d=max_pool3d | - | The greatest element of sliding windows, [N, C, T, H, W].
avgPool1d=avg_pool1d | - | The mean of sliding windows, [N, C, L].
avgPool2d=avg_pool2d | - | The mean of sliding windows, [N, C, H, W].
avgPool3d=avg_pool3d | - | The mean of sliding windows, [N, C, T, H, W].
adaptiveAvgPool1d=adaptive_avg_pool1d | - | The mean of windows chosen to give outputSize.
adaptiveAvgPool2d=adaptive_avg_pool2d | - | The mean of windows chosen to give outputSize.
adaptiveAvgPool3d=adaptive_avg_pool3d | - | The mean of windows chosen to give outputSize.
adaptiveMaxPool1d=adaptive_max_pool1d | - | The maximum of windows chosen to give outputSize, and the indices.
adaptiveMaxPool2d=adaptive_max_pool2d | - | The maximum of windows chosen to give outputSize, and the indices.
adaptiveMaxPool3d=adaptive_max_pool3d | - | The maximum of windows chosen to give outputSize, and the indices.
pad | - | Pads the last dimensions; mode 'constant', 'reflect', 'replicate' or 'circular'.
constantPadNd=constant_pad_nd | - | Pads the last dimensions with a value.
upsampleNearest1d=upsample_nearest1d | - | Resizes [N, C, L] by the nearest neighbour.
upsampleNearest2d=upsample_nearest2d | - | Resizes [N, C, H, W] by the nearest neighbour.
upsampleNearest3d=upsample_nearest3d | - | Resizes [N, C, T, H, W] by the nearest neighbour.
upsampleLinear1d=upsample_linear1d | - | Resizes [N, C, L] linearly.
upsampleBilinear2d=upsample_bilinear2d | - | Resizes [N, C, H, W] bilinearly.
upsampleBicubic2d=upsample_bicubic2d | - | Resizes [N, C, H, W] bicubically.
upsampleTrilinear3d=upsample_trilinear3d | - | Resizes [N, C, T, H, W] trilinearly.
gridSampler2d=grid_sampler_2d | - | Samples images at the points of a grid in [-1, 1].
gridSampler3d=grid_sampler_3d | - | Samples volumes at the points of a grid in [-1, 1].
affineGridGenerator | - | The grid of an affine map, for the grid samplers.
pixelShuffle | - | Channels to space.
channelShuffle | - | Interleaves groups of channels.

# losses
crossEntropyLoss | - | Cross-entropy of logits with class indices or probabilities.
nllLossNd=nll_loss_nd | - | Negative log likelihood of log-probabilities.
binaryCrossEntropy | - | Cross-entropy of probabilities in [0, 1].
binaryCrossEntropyWithLogits | - | Cross-entropy of logits, exact.
mseLoss | - | The squared error.
l1Loss | - | The absolute error.
smoothL1Loss=smooth_l1_loss | - | Squared below beta, absolute above.
huberLoss | - | Squared below delta, linear above.
klDiv | - | Kullback-Leibler divergence; x holds log-probabilities. The mean is over elements.
cosineEmbeddingLoss | - | 1 - cos for pairs with target 1, max(0, cos - margin) for -1.
marginRankingLoss | - | max(0, -target * (input1 - input2) + margin).
tripletMarginLoss | - | max(0, d(anchor, positive) - d(anchor, negative) + margin).
softMarginLoss | - | log(1 + exp(-target * x)).

# in place and random
copy_ | - | Writes the elements of src, converted and broadcast.
fill_ | Scalar Tensor | Sets every element.
zero_ | - | Sets every element to zero.
uniform_ | - | Draws from [from, to).
normal_ | - | Draws from the normal distribution.
bernoulli | - p | Draws 0 or 1 with the probabilities in x, or with one probability.
bernoulli_ | Tensor float | Draws 0 or 1 with the probabilities p, in place. | p
exponential_ | - | Draws from the exponential distribution.
random_ | from | Draws integers from [from, to).
multinomial | - | Draws indices by their weights.
zerosLike | - | Zeros in the shape, dtype and device of x.
onesLike | - | Ones in the shape, dtype and device of x.
emptyLike | - | Unset memory in the shape, dtype and device of x.
fullLike | - | A value in the shape, dtype and device of x.
randLike | - | Uniform draws from [0, 1) in the shape of x.
randnLike | - | Normal draws in the shape of x.
randintLike | low_dtype - | Integer draws in the shape of x.
newZeros | - | Zeros with the dtype and device of x.
newOnes | - | Ones with the dtype and device of x.
newFull | - | A value with the dtype and device of x.
newEmpty | - | Unset memory with the dtype and device of x.
`;
