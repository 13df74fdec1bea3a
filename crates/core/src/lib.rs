//! What Playout decides.
