// SPDX-License-Identifier: BSD-2-Clause
//! Compiles the entry points that a program may leave out.

fn main() {
    microkit_c_build::program(&[], &[]);
}
