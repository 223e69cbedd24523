// SPDX-License-Identifier: BSD-2-Clause
//! Builds the system, record by record.

use core::fmt;

use microkit_image::{
    Image, layout,
    record::{ANYWHERE, Cap, Irq, Map, NONE, Paging, Pd},
};
use sel4_abi::{
    BootInfo, CPtr, Endpoint, Frame, IoPort, IrqControl, IrqHandler, MsiSource, Notification,
    PagingStructure, Rights, Tcb, UserContext, VmAttributes, object::ObjectType,
};

use crate::{
    failure::{Cause, Failure, Of, Result},
    memory::{self, Window},
    objects::Objects,
    untyped::{Free, ROOT},
};

/// Protection domains that a system has at most (Microkit's own limit).
const MAX_PDS: usize = 63;
/// Regions that a system has at most, ELF segments and stacks included.
const MAX_REGIONS: usize = 1024;

/// The system while it is built.
pub struct Builder<'a> {
    image: Image<'static>,
    free: &'a mut Free,
    objects: [Objects; MAX_PDS],
    /// First slot of each region's frames.
    frames: [CPtr; MAX_REGIONS],
    /// Whether a region's own frame capabilities are mapped; further maps need copies.
    mapped: [bool; MAX_REGIONS],
    monitor: CPtr,
}

/// What was built.
pub struct Summary {
    pds: usize,
    used: u64,
    total: u64,
    slots_left: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} protection domains, {} KiB of {} KiB memory used, {} capability slots left",
            self.pds,
            self.used >> 10,
            self.total >> 10,
            self.slots_left
        )
    }
}

impl<'a> Builder<'a> {
    /// Starts with free memory and no object.
    pub fn new(free: &'a mut Free, image: Image<'static>) -> Result<'static, Self> {
        if image.pds.len() > MAX_PDS {
            return Err(Failure::new("protection domains", Cause::TooMany(MAX_PDS)));
        }
        if image.regions.len() > MAX_REGIONS {
            return Err(Failure::new("memory regions", Cause::TooMany(MAX_REGIONS)));
        }
        let objects = [Objects::default(); MAX_PDS];
        Ok(Self { image, free, objects, frames: [0; MAX_REGIONS], mapped: [false; MAX_REGIONS], monitor: 0 })
    }

    /// Where the domains' faults go that have no parent.
    pub const fn monitor_endpoint(&self) -> Endpoint {
        Endpoint(self.monitor)
    }

    /// Builds everything; no domain runs yet.
    pub fn build(&mut self) -> Result<'static, ()> {
        let image = self.image;
        // Fixed addresses first: nothing else may lie there.
        self.frames(|paddr| paddr != ANYWHERE)?;
        self.monitor = self.free.object(ObjectType::Endpoint, 0, "endpoint of the monitor")?;
        for (pd, objects) in image.pds.iter().zip(&mut self.objects) {
            *objects = Objects::new(self.free, pd).map_err(|failure| failure.of_pd(image.name(pd.name)))?;
        }
        self.frames(|paddr| paddr == ANYWHERE)?;
        self.fill()?;
        for paging in image.paging {
            self.paging(paging)
                .map_err(|failure| failure.of_pd(image.pd_name(paging.pd)).at(paging.vaddr))?;
        }
        for map in image.maps {
            self.map(map).map_err(|failure| {
                failure.of_pd(image.pd_name(map.pd)).of_region(image.region_name(map.region)).at(map.vaddr)
            })?;
        }
        for cap in image.caps {
            self.cap(cap).map_err(|failure| failure.of_pd(image.pd_name(cap.pd)))?;
        }
        for irq in image.irqs {
            self.irq(irq).map_err(|failure| failure.of_pd(image.pd_name(irq.pd)).number(irq.vector))?;
        }
        for (index, pd) in image.pds.iter().enumerate() {
            self.thread(index, pd).map_err(|failure| failure.of_pd(image.name(pd.name)))?;
        }
        Ok(())
    }

    /// Lets every domain run. None does before this thread waits: it has the highest priority.
    pub fn start(&mut self) -> Result<'static, Summary> {
        let image = self.image;
        for (pd, objects) in image.pds.iter().zip(&self.objects) {
            let context = UserContext { rip: pd.entry, rsp: pd.stack_top };
            Tcb(objects.tcb)
                .write_registers(true, &context)
                .of("thread")
                .map_err(|failure| failure.of_pd(image.name(pd.name)))?;
        }
        Ok(Summary {
            pds: image.pds.len(),
            used: self.free.total() - self.free.bytes(),
            total: self.free.total(),
            slots_left: self.free.slots_left(),
        })
    }

    fn objects(&self, pd: u32) -> Result<'static, &Objects> {
        let dangling = Failure::new("protection domain", Cause::Dangling);
        self.objects[..self.image.pds.len()].get(pd as usize).ok_or(dangling)
    }

    /// Makes the frames of the regions whose physical addresses are `wanted`.
    fn frames(&mut self, wanted: impl Fn(u64) -> bool) -> Result<'static, ()> {
        let image = self.image;
        for (region, frames) in
            image.regions.iter().zip(&mut self.frames).filter(|(region, _)| wanted(region.paddr))
        {
            let name = image.name(region.name);
            *frames = memory::make_frames(self.free, region).map_err(|failure| failure.of_region(name))?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<'static, ()> {
        let image = self.image;
        let window = Window::new(self.free)?;
        for (region, first) in image.regions.iter().zip(&self.frames).filter(|(r, _)| r.stack_of != NONE) {
            window.paint(region, *first).map_err(|failure| failure.of_region(image.name(region.name)))?;
        }
        for fill in image.fills {
            let dangling = Failure::new("fill", Cause::Dangling);
            let region = image.regions.get(fill.region as usize).ok_or(dangling)?;
            let data = image.data(fill.data).ok_or(dangling)?;
            let end = fill.offset.checked_add(fill.data.len);
            if end.is_none_or(|end| end > region.size) {
                return Err(dangling.of_region(image.name(region.name)));
            }
            window
                .fill(region, self.frames[fill.region as usize], fill.offset, data)
                .map_err(|failure| failure.of_region(image.name(region.name)))?;
        }
        Ok(())
    }

    fn paging(&mut self, paging: &Paging) -> Result<'static, ()> {
        let objects = *self.objects(paging.pd)?;
        let level = match paging.level & !Paging::GUEST {
            Paging::PDPT => PagingStructure::Pdpt,
            Paging::PAGE_DIRECTORY => PagingStructure::PageDirectory,
            _ => PagingStructure::PageTable,
        };
        if paging.level & Paging::GUEST != 0 {
            let cap = self.free.object(level.ept_object(), 0, "paging structure of the virtual machine")?;
            let ept = Self::ept(&objects)?;
            return level.map_ept(cap, ept, paging.vaddr).of("paging structure of the virtual machine");
        }
        let cap = self.free.object(level.object(), 0, "paging structure")?;
        level.map(cap, objects.vspace, paging.vaddr).of("paging structure")
    }

    /// The guest-physical memory of a domain's virtual machine.
    fn ept(objects: &Objects) -> Result<'static, CPtr> {
        objects.vm.map(|vm| vm.ept).ok_or(Failure::new("virtual machine", Cause::Dangling))
    }

    fn map(&mut self, map: &Map) -> Result<'static, ()> {
        let dangling = Failure::new("mapping", Cause::Dangling);
        let index = map.region as usize;
        let region = self.image.regions.get(index).ok_or(dangling)?;
        let objects = *self.objects(map.pd)?;
        let pages = memory::pages(region);
        let own = self.frames[index];
        // A frame capability is mapped once; further maps of the region take copies.
        let first = if self.mapped[index] { self.free.slots(pages)? } else { own };
        let rights = if map.flags & Map::WRITE != 0 { Rights::READ_WRITE } else { Rights::READ };
        let attributes =
            if map.flags & Map::UNCACHED != 0 { VmAttributes::Uncacheable } else { VmAttributes::WriteBack };
        for page in 0..pages {
            if first != own {
                ROOT.copy(first + page, ROOT, own + page, Rights::ALL).of("frame")?;
            }
            let vaddr = map.vaddr + (page << region.page_bits);
            let frame = Frame(first + page);
            if map.flags & Map::GUEST != 0 {
                let ept = Self::ept(&objects)?;
                frame.map_ept(ept, vaddr, rights, attributes).of("mapping for the virtual machine")?;
            } else {
                frame.map(objects.vspace, vaddr, rights, attributes).of("mapping")?;
            }
        }
        self.mapped[index] = true;
        Ok(())
    }

    fn cap(&mut self, cap: &Cap) -> Result<'static, ()> {
        let slots = self.objects(cap.pd)?.slots();
        match cap.kind {
            Cap::NOTIFICATION => {
                let source = self.objects(cap.target)?.notification;
                slots.mint(cap.slot, ROOT, source, Rights::WRITE, cap.badge).of("notification to send")
            }
            Cap::ENDPOINT => {
                let dangling = Failure::new("endpoint to call", Cause::Dangling);
                let source = self.objects(cap.target)?.endpoint.ok_or(dangling)?;
                // A call needs the right to grant: the reply capability travels with it.
                slots.mint(cap.slot, ROOT, source, Rights::ALL, cap.badge).of("endpoint to call")
            }
            Cap::TCB => {
                let source = self.objects(cap.target)?.tcb;
                slots.copy(cap.slot, ROOT, source, Rights::ALL).of("child's thread")
            }
            Cap::VCPU => {
                let dangling = Failure::new("virtual CPU", Cause::Dangling);
                let source = self.objects(cap.target)?.vm.ok_or(dangling)?.vcpu;
                slots.copy(cap.slot, ROOT, source, Rights::ALL).of("virtual CPU")
            }
            Cap::IO_PORTS => {
                let range = IoPort::range(cap.ports[0], cap.ports[1]);
                slots.mint(cap.slot, ROOT, BootInfo::IO_PORTS, Rights::ALL, range).of("I/O ports")
            }
            _ => Err(Failure::new("capability", Cause::Dangling)),
        }
    }

    /// Issues the handler, has it signal the domain and gives it to the domain.
    fn irq(&mut self, irq: &Irq) -> Result<'static, ()> {
        let objects = *self.objects(irq.pd)?;
        let control = IrqControl(BootInfo::IRQ_CONTROL);
        let handler = self.free.slots(2)?;
        let vector = irq.vector.into();
        if irq.kind == Irq::MSI {
            let [_, _, bus, devfn] = irq.line.to_be_bytes();
            let source = MsiSource { bus, device: devfn >> 3, function: devfn & 7, handle: irq.source };
            control.get_msi((ROOT, handler), source, vector).of("MSI with vector")?;
        } else {
            let pin = (irq.source, irq.line.into());
            control
                .get_ioapic((ROOT, handler), pin, irq.level != 0, irq.active_low != 0, vector)
                .of("I/O APIC interrupt with vector")?;
        }
        let badge = layout::BADGE_NOTIFICATION | 1 << irq.id;
        ROOT.mint(handler + 1, ROOT, objects.notification, Rights::WRITE, badge)
            .of("notification of the interrupt with vector")?;
        IrqHandler(handler)
            .set_notification(Notification(handler + 1))
            .of("notification of the interrupt with vector")?;
        objects
            .slots()
            .copy(layout::BASE_IRQ + u64::from(irq.id), ROOT, handler, Rights::ALL)
            .of("handler of the interrupt with vector")
    }

    /// Gives a domain what it receives from and its fault endpoint, and configures its thread.
    fn thread(&self, index: usize, pd: &Pd) -> Result<'static, ()> {
        let objects = self.objects[index];
        let slots = objects.slots();
        match objects.endpoint {
            Some(endpoint) => {
                slots.copy(layout::INPUT_CAP, ROOT, endpoint, Rights::READ).of("input endpoint")?
            }
            None => {
                slots
                    .copy(layout::INPUT_CAP, ROOT, objects.notification, Rights::READ)
                    .of("input notification")?;
            }
        }
        let dangling = Failure::new("fault endpoint", Cause::Dangling);
        let (endpoint, badge) = if pd.parent == NONE {
            (self.monitor, index as u64 + 1)
        } else {
            let parent = self.objects(pd.parent)?.endpoint.ok_or(dangling)?;
            (parent, layout::BADGE_FAULT | u64::from(pd.child_id))
        };
        // The kernel sends a fault as a call.
        slots.mint(layout::FAULT_CAP, ROOT, endpoint, Rights::ALL, badge).of("fault endpoint")?;
        let buffer = *self.frames.get(pd.ipc_buffer as usize).ok_or(dangling)?;
        Tcb(objects.tcb)
            .configure(
                layout::FAULT_CAP,
                pd.priority,
                (objects.cnode, Objects::GUARD),
                objects.vspace,
                (layout::IPC_BUFFER, buffer),
            )
            .of("thread")
    }
}
