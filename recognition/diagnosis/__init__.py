"""What this machine has and lacks of what Facetable needs, for whoever has to help from afar.

In: nothing but the machine.
Out: lines of a report without names, paths of photos or other private things.
May import: foundation, foundation.drawing, embedder.runtime, embedder.detection, embedder.networks,
    recognition.viewer.
"""
