//! Tests of the layer for HTTP services, over real connections.
