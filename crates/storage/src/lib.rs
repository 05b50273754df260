//! Pages, files and the buffer pool.
