// SPDX-License-Identifier: BSD-2-Clause
//! Printing through the kernel, for debugging.

use core::fmt::{self, Write};

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(sel4_abi::debug_put_char);
        Ok(())
    }
}

/// Prints; what cannot be formatted is left out.
#[doc(hidden)]
pub fn print(args: fmt::Arguments<'_>) {
    let _ = Console.write_fmt(args);
}

/// Prints to the kernel's console.
#[macro_export]
macro_rules! debug_print {
    ($($arg:tt)*) => { $crate::_private::print(::core::format_args!($($arg)*)) };
}

/// Prints a line to the kernel's console.
#[macro_export]
macro_rules! debug_println {
    () => { $crate::debug_print!("\n") };
    ($($arg:tt)*) => {{
        $crate::debug_print!($($arg)*);
        $crate::debug_print!("\n");
    }};
}
