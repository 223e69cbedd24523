# SPDX-License-Identifier: BSD-2-Clause
"""The system of system.xml and ioasid.toml, made with sdfgen: `python3 system.py <folder>` writes both there."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools/sdfgen"))

from ioasid_sdfgen import Ioasid
from sdfgen import SystemDescription

Map = SystemDescription.Map
ProtectionDomain = SystemDescription.ProtectionDomain


def main(folder: str) -> None:
    sdf = SystemDescription(SystemDescription.Arch.X86_64, 0x40000000)
    service = ProtectionDomain("ioasid", "ioasid.elf", priority=60, passive=True, stack_size=0x20000)
    ioasid = Ioasid(sdf, service, ProtectionDomain("console", "console.elf", priority=40, stack_size=0x10000))

    copier = ProtectionDomain("copier", "copier.elf", priority=20)
    # Name, address, physical address, size, variable.
    for name, vaddr, paddr, size, variable in [
        ("edu_registers", 0x30000000, 0xD0000000, 0x100000, "device"),
        ("source", 0x31000000, 0x10400000, 0x1000, "source"),
        ("sink", 0x32000000, 0x10401000, 0x1000, "sink"),
    ]:
        region = SystemDescription.MemoryRegion(sdf, name, size, paddr=paddr)
        sdf.add_mr(region)
        copier.add_map(Map(region, vaddr, "rw", cached=name != "edu_registers", setvar_vaddr=variable))
    copier.add_irq(SystemDescription.IrqMsi(0, 5, 0, 1, 0, id=2))
    copier.add_ioport(SystemDescription.IoPort(0xF4, 4, id=3))
    sdf.add_pd(copier)

    ioasid.add_device("edu", "00:05.0", bars={0: "edu_registers"})
    memory = [("source", "r"), ("sink", "w")]
    ioasid.add_client(copier, reservation=1, limit=2, devices=["edu"], memory=memory)
    ioasid.connect()
    ioasid.serialise_config(folder)
    Path(folder, "system.xml").write_text(ioasid.render())


if __name__ == "__main__":
    main(sys.argv[1])
