//! MRT
