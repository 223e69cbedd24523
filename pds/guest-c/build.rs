// SPDX-License-Identifier: BSD-2-Clause
//! Compiles the program, which is in C.

fn main() {
    microkit_c_build::program(
        &["src/guest.c", "src/log.c"],
        &["../ioasid/include", "../console/log-ring/include", "../supervisor/api/include"],
    );
}
