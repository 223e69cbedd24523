# SPDX-License-Identifier: BSD-2-Clause
"""What the adaptor refuses, and what it writes beyond sdfgen."""

import unittest
import xml.etree.ElementTree as ElementTree

from ioasid_sdfgen import Ioasid
from sdfgen import SystemDescription

ProtectionDomain = SystemDescription.ProtectionDomain


class System(unittest.TestCase):
    def setUp(self):
        self.sdf = SystemDescription(SystemDescription.Arch.X86_64, 0x40000000)
        self.ioasid = Ioasid(
            self.sdf,
            ProtectionDomain("ioasid", "ioasid.elf", priority=200, passive=True),
            ProtectionDomain("console", "console.elf", priority=150),
        )
        self.driver = ProtectionDomain("driver", "driver.elf", priority=100)
        self.sdf.add_pd(self.driver)

    def refused(self, words, **arguments):
        with self.assertRaisesRegex(ValueError, words):
            self.ioasid.add_client(self.driver, **({"reservation": 1, "limit": 2} | arguments))

    def rendered(self):
        self.ioasid.connect()
        return ElementTree.fromstring(self.ioasid.render())

    def test_a_reservation_is_within_the_limit(self):
        self.refused("reservation 3 is above limit 2", reservation=3)

    def test_a_device_is_added_before_it_is_granted(self):
        self.refused("no device is called nic; add_device comes first", devices=["nic"])

    def test_a_page_is_one_of_three(self):
        self.refused("no page is called ring", pages=["ring"])

    def test_a_client_is_one_once(self):
        self.ioasid.add_client(self.driver, reservation=1, limit=2)
        self.refused("driver is a client already")

    def test_regions_are_filled_and_on_large_pages(self):
        regions = {region.attrib["name"]: region.attrib for region in self.rendered().iter("memory_region")}
        self.assertEqual(regions["ioasid_config"]["prefill_path"], "ioasid.bin")
        self.assertEqual(regions["console_directory"]["prefill_path"], "console.bin")
        self.assertEqual(regions["vtd_tables"]["page_size"], "0x200000")

    def test_each_client_has_a_channel_and_the_pages_it_asks_for(self):
        self.ioasid.add_client(self.driver, reservation=1, limit=2, pages=["events", "find", "batch"], log=False)
        system = self.rendered()
        driver = system.find("protection_domain[@name='driver']")
        maps = {entry.attrib["mr"]: entry.attrib["perms"] for entry in driver.iter("map")}
        self.assertEqual(maps, {"events_driver": "r", "find_driver": "r", "batch_driver": "rw"})
        ends = [[(end.get("pd"), end.get("pp")) for end in channel] for channel in system.iter("channel")]
        self.assertIn([("ioasid", None), ("driver", "true")], ends)
        self.assertIn('batch = "batch_driver"', self.ioasid.toml())


if __name__ == "__main__":
    unittest.main()
