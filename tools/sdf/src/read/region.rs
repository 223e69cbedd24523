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
        // Boot information without a size takes one page.
        let bootinfo_page = prefill_bootinfo.as_ref().map(|kind| At::new(alignment, kind.place));
        let size = size.or(bootinfo_page);

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
            prefill_bootinfo,
            place: element.place,
        })
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
