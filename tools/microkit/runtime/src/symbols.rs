// SPDX-License-Identifier: BSD-2-Clause
//! Variables that the packer writes into the domain's image.

use core::{
    cell::UnsafeCell,
    str::{self, Utf8Error},
};

use microkit_image::layout::NAME_LENGTH;

/// A value that the packer may have replaced since it was compiled.
#[doc(hidden)]
#[repr(transparent)]
pub struct ImmutableCell<T>(UnsafeCell<T>);

impl<T> ImmutableCell<T> {
    #[doc(hidden)]
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[doc(hidden)]
    #[inline]
    pub fn get(&self) -> &T {
        let mut value: *const T = self.0.get();
        // SAFETY: the empty block makes the compiler forget what the pointer points to, so that it does not take
        // the value at compile time for the value; nothing is changed.
        unsafe { core::arch::asm!("/* {0} */", inout(reg) value, options(nostack, preserves_flags)) };
        // SAFETY: the pointer is that of the cell, and nothing writes to a cell while the program runs.
        unsafe { &*value }
    }
}

// SAFETY: nothing writes to a cell while the program runs.
unsafe impl<T: Sync> Sync for ImmutableCell<T> {}

/// Declares a variable that the packer writes (`setvar_…` and `<setvar>` in system.xml) and returns a reference to
/// its value: `let foo = *var!(foo: usize = 0);`. The value given is the one it has when nothing is written.
#[macro_export]
macro_rules! var {
    ($(#[$attrs:meta])* $symbol:ident: $ty:ty = $default:expr) => {{
        use $crate::_private::ImmutableCell;

        $(#[$attrs])*
        #[unsafe(no_mangle)]
        #[unsafe(link_section = ".data")]
        static $symbol: ImmutableCell<$ty> = ImmutableCell::new($default);

        $symbol.get()
    }};
}

/// Declares a variable that holds a mapped region's address (`setvar_vaddr`) and returns it as a
/// [`NonNull`](core::ptr::NonNull): `memory_region_symbol!(foo: *mut Foo)`, or with a length in elements
/// `memory_region_symbol!(foo: *mut [u8], n = 4096)`. Panics when nothing was written.
#[macro_export]
macro_rules! memory_region_symbol {
    ($(#[$attrs:meta])* $symbol:ident: *mut [$ty:ty], n = $n:expr, bytes = $bytes:expr $(,)?) => {{
        assert!($bytes == $n * core::mem::size_of::<$ty>());
        $crate::memory_region_symbol!($(#[$attrs])* $symbol: *mut [$ty], n = $n)
    }};
    ($(#[$attrs:meta])* $symbol:ident: *mut $ty:ty, bytes = $bytes:expr $(,)?) => {{
        assert!($bytes == core::mem::size_of::<$ty>());
        $crate::memory_region_symbol!($(#[$attrs])* $symbol: *mut $ty)
    }};
    ($(#[$attrs:meta])* $symbol:ident: *mut [$ty:ty], n = $n:expr $(,)?) => {{
        core::ptr::NonNull::slice_from_raw_parts(
            $crate::memory_region_symbol!($(#[$attrs])* $symbol: *mut $ty),
            $n,
        )
    }};
    ($(#[$attrs:meta])* $symbol:ident: *mut $ty:ty $(,)?) => {{
        core::ptr::NonNull::new(*$crate::var!($(#[$attrs])* $symbol: usize = 0) as *mut $ty)
            .unwrap_or_else(|| panic!("{} is null", stringify!($symbol)))
    }};
}

/// Whether system.xml calls this domain passive. On this kernel it runs as an active one all the same.
#[must_use]
pub fn pd_is_passive() -> bool {
    *var!(microkit_passive: u8 = 0) != 0
}

/// Interrupts that the domain has, a bit each.
pub(crate) fn pd_irqs() -> u64 {
    *var!(microkit_irqs: u64 = 0)
}

/// Channels that it may notify, a bit each.
pub(crate) fn pd_notifications() -> u64 {
    *var!(microkit_notifications: u64 = 0)
}

/// Channels that it may call, a bit each.
pub(crate) fn pd_pps() -> u64 {
    *var!(microkit_pps: u64 = 0)
}

/// Returns the name of this protection domain.
///
/// # Errors
/// When it is not UTF-8, which no system description can state.
pub fn pd_name() -> Result<&'static str, Utf8Error> {
    let bytes: &[u8] = var!(microkit_name: [u8; NAME_LENGTH] = [0; NAME_LENGTH]);
    str::from_utf8(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
}
