// SPDX-License-Identifier: BSD-2-Clause
//! `<memory_region>`.

use super::xml::{Element, Reader};
use crate::limits::PAGE_SIZES;
use crate::model::MemoryRegion;
use crate::source::At;

const ATTRIBUTES: [&str; 6] = ["name", "size", "page_size", "phys_addr", "prefill_path", "prefill_bootinfo"];
const BOOT_INFO: [&str; 6] =
    ["x86_vbe", "x86_mbmmap", "x86_acpi_rsdp", "x86_framebuffer", "x86_tsc_freq", "fdt"];

impl<'d> Reader<'d> {
    /// A memory region; none without a name. Its page size is final only when the mappings are known.
    pub(super) fn memory_region(&mut self, element: Element<'d>) -> Option<MemoryRegion> {
        self.leaf(element, &ATTRIBUTES);
        let name = self.name(element, "name")?;
        let prefill_path = self.optional_name(element, "prefill_path");
        let prefill_bootinfo = self.optional_name(element, "prefill_bootinfo");
        if let Some(kind) = prefill_bootinfo.as_ref().filter(|kind| !BOOT_INFO.contains(&kind.as_str())) {
            let message = format!("prefill_bootinfo=\"{kind}\" is no kind of boot information");
            self.error(element, kind.place, message, &format!("use one of: {}", BOOT_INFO.join(", ")));
        }
        if let (Some(_), Some(second)) = (&prefill_path, &prefill_bootinfo) {
            let message = "has both prefill_path and prefill_bootinfo".into();
            self.error(element, second.place, message, "keep one of them");
        }

        let page_size = self.optional_number(element, "page_size");
        let page_size = page_size.filter(|size| {
            let valid = PAGE_SIZES.contains(&size.value);
            if !valid {
                let message = format!("page_size is {:#x}, which is no page size", size.value);
                self.error(element, size.place, message, "use 0x1000 (4 KiB) or 0x200_000 (2 MiB)");
            }
            valid
        });
        let alignment = page_size.map_or(PAGE_SIZES[0], |size| size.value);
        let size = self.optional_number(element, "size");
        if let Some(size) = size {
            if size.value == 0 {
                self.error(element, size.place, "size is zero".into(), "give it at least one page");
            }
            self.aligned(element, "size", size, alignment);
        } else if element.node.attribute("size").is_none()
            && prefill_path.is_none()
            && prefill_bootinfo.is_none()
        {
            let message = "lacks the attribute 'size'".into();
            self.error(element, element.place, message, "add size=\"…\", or fill it with prefill_path=\"…\"");
        }
        let prefill_size = prefill_path.as_ref().and_then(|path| self.prefill_size(element, path, size));
        // Boot information without a size takes one page, and a file as many as it fills.
        let size =
            size.or(prefill_bootinfo.as_ref().map(|kind| At::new(alignment, kind.place))).or(prefill_path
                .as_ref()
                .zip(prefill_size)
                .and_then(|(path, length)| {
                    Some(At::new(length.checked_next_multiple_of(alignment)?, path.place))
                }));

        let phys_addr = self.optional_number(element, "phys_addr");
        if let Some(start) = phys_addr {
            self.aligned(element, "phys_addr", start, alignment);
            if size.is_some_and(|size| start.checked_add(size.value).is_none()) {
                let message = format!("reaches from {:#x} beyond the last address", start.value);
                self.error(element, start.place, message, "lower phys_addr or size");
            }
        }
        Some(MemoryRegion {
            name,
            size,
            page_size: page_size.unwrap_or(At::new(PAGE_SIZES[0], element.place)),
            phys_addr,
            prefill_path,
            prefill_size,
            prefill_bootinfo,
            place: element.place,
        })
    }

    /// Length of the file at `path`, which must fit in `size`; none when it is not known.
    fn prefill_size(
        &mut self,
        element: Element<'d>,
        path: &At<String>,
        size: Option<At<u64>>,
    ) -> Option<u64> {
        let length = match self.prefill_length?(path) {
            Ok(length) => length,
            Err(error) => {
                let message = format!("prefill_path=\"{path}\" cannot be read: {error}");
                self.error(element, path.place, message, "make the file, or correct its path");
                return None;
            }
        };
        if length == 0 {
            self.error(element, path.place, format!("prefill_path=\"{path}\" is an empty file"), "fill it");
        }
        if let Some(size) = size.filter(|size| size.value < length) {
            let message = format!("size is {:#x}, with {length:#x} bytes in {path}", size.value);
            self.error(element, size.place, message, "leave size out, or make it larger");
        }
        Some(length)
    }

    fn aligned(&mut self, element: Element<'d>, name: &str, value: At<u64>, alignment: u64) {
        if !value.is_multiple_of(alignment) {
            let message =
                format!("{name} is {:#x}, not a multiple of the page size {alignment:#x}", value.value);
            let down = value.value - value.value % alignment;
            let help = match down.checked_add(alignment) {
                Some(up) if down > 0 => format!("use {down:#x} or {up:#x}"),
                Some(up) => format!("use {up:#x}"),
                None => format!("use {down:#x}"),
            };
            self.error(element, value.place, message, &help);
        }
    }
}
