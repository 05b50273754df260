//! Access methods: heap and nbtree.
#![forbid(unsafe_code)]
