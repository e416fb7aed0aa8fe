"""Networks that others have made, ready to be run: ONNX as it is, TFLite written as ONNX.

In: network files of others.
Out: `onnx.ModelProto` with one input and a free batch dimension; `VectorOutput`, the vectors among what one gives.
May import: foundation, embedder.runtime.
"""
