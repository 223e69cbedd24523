// SPDX-License-Identifier: BSD-2-Clause
//! The kernel objects of a protection domain.

use microkit_image::{layout, record::Pd};
use sel4_abi::{
    AsidPool, BootInfo, CNode, CPtr, Error, Notification, Tcb, Vcpu, WORD_BITS, object::ObjectType,
};

use crate::{
    failure::{Cause, Failure, Of, Result},
    untyped::Free,
};

/// The objects that every protection domain has, by the slots of their capabilities.
#[derive(Debug, Clone, Copy, Default)]
pub struct Objects {
    /// Its thread.
    pub tcb: CPtr,
    /// Its CNode.
    pub cnode: CPtr,
    /// The root of its address space.
    pub vspace: CPtr,
    /// Its notification.
    pub notification: CPtr,
    /// Its endpoint, if anyone calls it or it has children.
    pub endpoint: Option<CPtr>,
    /// Its virtual machine, if it runs one.
    pub vm: Option<VirtualMachine>,
}

/// The objects of a virtual machine.
#[derive(Debug, Clone, Copy)]
pub struct VirtualMachine {
    /// Its virtual CPU.
    pub vcpu: CPtr,
    /// The root of its guest-physical memory.
    pub ept: CPtr,
}

impl VirtualMachine {
    fn new(free: &mut Free, tcb: Tcb) -> Result<'static, Self> {
        let without = Failure::new("virtual CPU", Cause::NoVirtualMachines);
        let vcpu =
            free.object(ObjectType::Vcpu, 0, "virtual CPU").map_err(|failure| match failure.cause() {
                // What the kernel says to the type of an object that it does not make on this machine.
                Cause::Kernel(Error::InvalidArgument) => without,
                _ => failure,
            })?;
        let ept = free.object(ObjectType::EptPml4, 0, "guest-physical memory")?;
        AsidPool(BootInfo::INIT_ASID_POOL).assign(ept).of("guest-physical memory")?;
        Vcpu(vcpu).set_tcb(tcb).of("thread of the virtual CPU")?;
        tcb.set_ept_root(ept).of("guest-physical memory")?;
        Ok(Self { vcpu, ept })
    }
}

impl Objects {
    /// The guard that makes slot numbers full addresses in a domain's CSpace.
    pub const GUARD: u64 = CNode::guard(WORD_BITS - layout::CNODE_BITS as u64);

    /// Makes them.
    pub fn new(free: &mut Free, pd: &Pd) -> Result<'static, Self> {
        let tcb = free.object(ObjectType::Tcb, 0, "thread")?;
        let cnode = free.object(ObjectType::CNode, layout::CNODE_BITS, "CNode")?;
        let vspace = free.object(ObjectType::Pml4, 0, "address space")?;
        AsidPool(BootInfo::INIT_ASID_POOL).assign(vspace).of("address space")?;
        let notification = free.object(ObjectType::Notification, 0, "notification")?;
        Tcb(tcb).bind_notification(Notification(notification)).of("bound notification")?;
        let endpoint = match pd.has_endpoint {
            0 => None,
            _ => Some(free.object(ObjectType::Endpoint, 0, "endpoint")?),
        };
        let vm = match pd.has_vm {
            0 => None,
            _ => Some(VirtualMachine::new(free, Tcb(tcb))?),
        };
        Ok(Self { tcb, cnode, vspace, notification, endpoint, vm })
    }

    /// Its CNode, addressed by slot numbers: this capability has no guard.
    pub const fn slots(&self) -> CNode {
        CNode { cap: self.cnode, depth: layout::CNODE_BITS as u64 }
    }
}
