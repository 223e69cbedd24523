# SPDX-License-Identifier: BSD-2-Clause
"""ioasid in a system that is made with sdfgen (https://pypi.org/project/sdfgen).

One class, in the manner of sdfgen's own for sDDF: add clients, connect, serialise the configuration.

    from sdfgen import SystemDescription
    from ioasid_sdfgen import Ioasid

    sdf = SystemDescription(SystemDescription.Arch.X86_64, 0x40000000)
    ioasid = Ioasid(sdf, SystemDescription.ProtectionDomain("ioasid", "ioasid.elf", priority=200, passive=True,
                                                            stack_size=0x20000),
                    SystemDescription.ProtectionDomain("console", "console.elf", priority=150))
    ...
    ioasid.add_device("nic", "00:05.0", bars={0: "nic_registers"})
    ioasid.add_client(driver, reservation=1, limit=2, devices=["nic"], memory=[("packets", "rw")])
    ioasid.connect()
    ioasid.serialise_config("build")     # build/ioasid.toml
    print(ioasid.render())               # in place of sdf.render()

`render` says what sdfgen has no words for: what regions are filled with, and the size of their pages.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from sdfgen import SystemDescription

Map = SystemDescription.Map
MemoryRegion = SystemDescription.MemoryRegion
ProtectionDomain = SystemDescription.ProtectionDomain

PAGE = 0x1000
LARGE_PAGE = 0x200000
LOG_BYTES = 0x4000
CONFIG_BYTES = 0x8000
# The ioasid domain's interrupt, for the unit's fault messages. Its channel 0 leads to the console.
FAULT_IRQ = 40
# The first of the console's channels: sdfgen numbers ports with channels, and the console's port is 0.
FIRST_OF_CONSOLE = 1


@dataclass
class _Device:
    name: str
    address: str
    bars: Dict[int, str]


@dataclass
class _Client:
    pd: ProtectionDomain
    channel: int
    reservation: int
    limit: int
    devices: Sequence[str]
    memory: Sequence[Tuple[str, str]]
    pages: List[str] = field(default_factory=list)


class Ioasid:
    """The ioasid domain and the console that prints its log, in the system `sdf`.

    `ioasid` and `console` are added to the system by `connect`. Addresses are QEMU's where nothing else is said.
    `table_bytes` of memory at `table_paddr` are for PASID tables and page tables; `registry_bytes` bound how many ids
    there can be (16.2 bytes each). `pasid_bits` replaces what the unit reports, for QEMU up to 10; `None` believes it.
    """

    def __init__(
        self,
        sdf: SystemDescription,
        ioasid: ProtectionDomain,
        console: ProtectionDomain,
        *,
        unit_paddr: int = 0xFED90000,
        ecam_paddr: int = 0xB0000000,
        ecam_bytes: int = LARGE_PAGE,
        table_paddr: int = 0x10000000,
        table_bytes: int = 2 * LARGE_PAGE,
        registry_bytes: int = LARGE_PAGE,
        pasid_bits: Optional[int] = 20,
    ) -> None:
        self._sdf, self._ioasid, self._console = sdf, ioasid, console
        self._pasid_bits = pasid_bits
        self._devices: List[_Device] = []
        self._clients: List[_Client] = []
        self._logs = 0
        # Attributes of memory regions that sdfgen does not write.
        self._attributes: Dict[str, Dict[str, str]] = {}

        large = {"page_size": hex(LARGE_PAGE)}
        self._own("vtd_registers", PAGE, "rw", paddr=unit_paddr, cached=False)
        self._own("vtd_tables", table_bytes, "rw", paddr=table_paddr, attributes=large)
        self._own("registry", registry_bytes, "rw", attributes=large)
        self._own("pci_ecam", ecam_bytes, "rw", paddr=ecam_paddr, cached=False, attributes=large)
        self._own("ioasid_config", CONFIG_BYTES, "r", setvar="ioasid_config", attributes={"prefill_path": "ioasid.bin"})
        ioasid.add_irq(SystemDescription.IrqMsi(0, 0, 0, 0, 0, id=FAULT_IRQ))
        directory = self._region("console_directory", PAGE, attributes={"prefill_path": "console.bin"})
        self._map(console, directory, "r", setvar="console_directory")
        console.add_ioport(SystemDescription.IoPort(0x3F8, 8, id=0))

    def _region(self, name: str, size: int, paddr: Optional[int] = None, attributes: Optional[dict] = None):
        region = MemoryRegion(self._sdf, name, size, paddr=paddr)
        self._sdf.add_mr(region)
        self._attributes[name] = attributes or {}
        return region

    @staticmethod
    def _map(pd: ProtectionDomain, region: MemoryRegion, perms: str, *, cached: bool = True, setvar=None) -> None:
        # On large pages, whatever the region's own are.
        vaddr = -(-pd.get_map_vaddr(region) // LARGE_PAGE) * LARGE_PAGE
        pd.add_map(Map(region, vaddr, perms, cached=cached, setvar_vaddr=setvar))

    def _own(self, name: str, size: int, perms: str, *, paddr=None, cached=True, setvar=None, attributes=None) -> None:
        self._map(self._ioasid, self._region(name, size, paddr, attributes), perms, cached=cached, setvar=setvar)

    def _log(self, pd: ProtectionDomain) -> None:
        """Gives `pd` a log; its channel 0 leads to the console."""
        region = self._region(f"log_{pd.name}", LOG_BYTES)
        self._map(pd, region, "rw", setvar="log_ring")
        self._map(self._console, region, "r")
        number = FIRST_OF_CONSOLE + self._logs
        self._sdf.add_channel(SystemDescription.Channel(self._console, pd, a_id=number, b_id=0, notify_a=False))
        self._logs += 1

    def add_device(self, name: str, address: str, *, bars: Optional[Dict[int, str]] = None) -> None:
        """A PCI function to grant, at `bus:device.function`; each BAR is placed at the region of that name."""
        self._devices.append(_Device(name, address, bars or {}))

    def add_client(
        self,
        pd: ProtectionDomain,
        *,
        reservation: int,
        limit: int,
        devices: Sequence[str] = (),
        memory: Sequence[Tuple[str, str]] = (),
        channel: int = 1,
        pages: Sequence[str] = ("events",),
        log: bool = True,
    ) -> None:
        """Lets `pd` call the service on its `channel`.

        `memory` names regions with a fixed physical address and what devices may do there (`r`, `w`, `rw`). `pages` are
        some of `events`, `find`, `batch`: each is mapped, and its address put into the variable of that name. With
        `log` it has a log that the console prints: the variable `log_ring`, and channel 0.
        """
        unknown = set(pages) - {"events", "find", "batch"}
        if unknown:
            raise ValueError(f"{pd.name}: no page is called {', '.join(sorted(unknown))}")
        if reservation > limit:
            raise ValueError(f"{pd.name}: reservation {reservation} is above limit {limit}")
        if any(client.pd.name == pd.name for client in self._clients):
            raise ValueError(f"{pd.name} is a client already")
        known = {device.name for device in self._devices}
        for device in devices:
            if device not in known:
                raise ValueError(f"{pd.name}: no device is called {device}; add_device comes first")
        client = _Client(pd, channel, reservation, limit, devices, memory, list(pages))
        for page in pages:
            region = self._region(f"{page}_{pd.name}", PAGE)
            self._map(self._ioasid, region, "rw")
            self._map(pd, region, "rw" if page == "batch" else "r", setvar=page)
        if log:
            self._log(pd)
        self._clients.append(client)

    def connect(self) -> None:
        """Adds the domains and the clients' channels. To be called once, after every client was added."""
        if len(self._clients) > FAULT_IRQ - 1:
            raise ValueError(f"{len(self._clients)} clients: the service has {FAULT_IRQ - 1} channels for them")
        self._log(self._ioasid)
        self._sdf.add_pd(self._ioasid)
        self._sdf.add_pd(self._console)
        for number, client in enumerate(self._clients, start=1):
            self._sdf.add_channel(
                SystemDescription.Channel(
                    self._ioasid, client.pd, a_id=number, b_id=client.channel, pp_b=True, notify_b=False
                )
            )

    def toml(self) -> str:
        """The text of ioasid.toml."""
        text = json.dumps  # TOML's basic strings are JSON's.
        lines = [f"pd = {text(self._ioasid.name)}", 'config = "ioasid_config"', "", "[unit]"]
        lines += [f"{key} = {text(region)}" for key, region in self._UNIT.items()]
        lines.append(f"fault_irq = {FAULT_IRQ}")
        if self._pasid_bits is not None:
            lines.append(f"pasid_bits = {self._pasid_bits}")
        for device in self._devices:
            bars = ", ".join(f"{bar} = {text(region)}" for bar, region in device.bars.items())
            lines += ["", "[[device]]", f"name = {text(device.name)}", f"address = {text(device.address)}"]
            lines += [f"bars = {{ {bars} }}"] if bars else []
        for client in self._clients:
            grants = (f"{{ region = {text(name)}, access = {text(access)} }}" for name, access in client.memory)
            lines += ["", "[[client]]", f"pd = {text(client.pd.name)}"]
            lines += [f"reservation = {client.reservation}", f"limit = {client.limit}"]
            lines += [f"devices = [{', '.join(map(text, client.devices))}]", f"memory = [{', '.join(grants)}]"]
            lines += [f"{page} = {text(f'{page}_{client.pd.name}')}" for page in client.pages]
        return "\n".join(lines) + "\n"

    _UNIT = {"registers": "vtd_registers", "tables": "vtd_tables", "registry": "registry", "ecam": "pci_ecam"}

    def serialise_config(self, output_dir: str) -> None:
        """Writes ioasid.toml into `output_dir`; ioasid.mk makes ioasid.bin of it and of the rendered system."""
        Path(output_dir, "ioasid.toml").write_text(self.toml())

    def render(self) -> str:
        """The system description, with what sdfgen has no words for."""
        system = ElementTree.fromstring(self._sdf.render())
        for region in system.iter("memory_region"):
            for name, value in self._attributes.get(region.attrib["name"], {}).items():
                region.set(name, value)
        ElementTree.indent(system, "    ")
        return ElementTree.tostring(system, encoding="unicode") + "\n"
