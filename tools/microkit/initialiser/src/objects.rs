// SPDX-License-Identifier: BSD-2-Clause
//! The kernel objects of a protection domain.

use microkit_image::{layout, record::Pd};
use sel4_abi::{AsidPool, BootInfo, CNode, CPtr, Notification, Tcb, WORD_BITS, object::ObjectType};

use crate::{
    failure::{Of, Result},
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
        Ok(Self { tcb, cnode, vspace, notification, endpoint })
    }

    /// Its CNode, addressed by slot numbers: this capability has no guard.
    pub const fn slots(&self) -> CNode {
        CNode { cap: self.cnode, depth: layout::CNODE_BITS as u64 }
    }
}
