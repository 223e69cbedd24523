/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies a page with a device that does DMA (QEMU's edu): the device reads it out of `source` and writes it into `sink`.
 * Then it is told to write into `source`, which it may only read, and to where nothing is: both are stopped. (QEMU
 * reports the second only: what it has cached for reading it does not report when it is written.)
 */
#include <ioasid/client.h>
#include <ioasid/events.h>
#include <log_ring.h>
#include <microkit.h>

/* Set from system.xml: where the regions are mapped. */
struct log_ring *log_ring;
void *events;
volatile unsigned char *device, *source, *sink;

/* Channels and ports, as in system.xml. */
enum { CONSOLE = 0, IOASID = 1, DEVICE = 2 };
enum { DEBUG_EXIT = 3, DEBUG_EXIT_PORT = 0xf4 };

/* Places in the lists of this client in ioasid.toml. */
enum { EDU = 0, SOURCE = 0, SINK = 1 };

/* Where the device sees the regions: addresses of our choosing. */
#define SOURCE_IOVA UINT64_C(0x10000)
#define SINK_IOVA UINT64_C(0x20000)
#define NOWHERE UINT64_C(0x30000)

/* The most that one transfer takes. */
#define LENGTH 4095u

/* QEMU, docs/specs/edu.rst: registers, commands, and where its own buffer begins in its addresses. */
enum { EDU_STATUS = 0x24, EDU_ACKNOWLEDGE = 0x64, EDU_SOURCE = 0x80, EDU_DESTINATION = 0x88, EDU_COUNT = 0x90,
       EDU_COMMAND = 0x98 };
enum { EDU_START = 1, EDU_TO_MEMORY = 2, EDU_INTERRUPT = 4 };
#define EDU_BUFFER UINT64_C(0x40000)

static unsigned passed, failed;
static ioasid_handle_t id;
static struct ioasid_events ring;

static void line(const char *mark, const char *text)
{
    log_ring_write(log_ring, mark);
    log_ring_write(log_ring, text);
    log_ring_write(log_ring, "\n");
    microkit_notify(CONSOLE);
}

static void check(const char *text, bool holds)
{
    line(holds ? "ok    " : "FAIL  ", text);
    *(holds ? &passed : &failed) += 1;
}

static void served(const char *text, enum ioasid_code code)
{
    check(text, code == IOASID_OK);
    if (code != IOASID_OK) {
        line("      refused: ", ioasid_code_name(code));
    }
}

/* Ends the run with the line that it is judged by. There are few checks. */
static void finish(void)
{
    char text[] = "ioasid: 00 checks passed, 0 failed";
    text[8] += passed / 10;
    text[9] += passed % 10;
    text[26] += failed < 9 ? failed : 9;
    line("", text);
    microkit_x86_ioport_write_8(DEBUG_EXIT, DEBUG_EXIT_PORT, failed != 0);
}

static void write64(unsigned offset, uint64_t value)
{
    *(volatile uint64_t *)(device + offset) = value;
}

/* Starts a transfer; an interrupt tells its end. */
static void transfer(uint64_t from, uint64_t to)
{
    write64(EDU_SOURCE, from);
    write64(EDU_DESTINATION, to);
    write64(EDU_COUNT, LENGTH);
    write64(EDU_COMMAND, EDU_START | EDU_INTERRUPT | (from == EDU_BUFFER ? EDU_TO_MEMORY : 0));
}

/* How many bytes of `memory` are what was put into `source`. */
static unsigned right(const volatile unsigned char *memory)
{
    unsigned bytes = 0;
    for (unsigned i = 0; i < LENGTH; i++) {
        bytes += memory[i] == (unsigned char)(i * 7);
    }
    return bytes;
}

void init(void)
{
    struct ioasid_welcome welcome;
    struct ioasid_allocated allocated = { 0 };
    served("the service is there", ioasid_hello(IOASID, IOASID_VERSION, &welcome));
    served("an id is allocated", ioasid_alloc(IOASID, 1, 0xffff, 0, &allocated));
    id = allocated.handle;
    served("the source can be read", ioasid_map(IOASID, id, SOURCE_IOVA, ioasid_region_offset(0, SOURCE),
                                                ioasid_extent(1, IOASID_ACCESS_READ)));
    served("the sink can be written", ioasid_map(IOASID, id, SINK_IOVA, ioasid_region_offset(0, SINK),
                                                 ioasid_extent(1, IOASID_ACCESS_WRITE)));
    check("the source cannot be made writable",
          ioasid_map(IOASID, id, NOWHERE, ioasid_region_offset(0, SOURCE), ioasid_extent(1, IOASID_ACCESS_READ_WRITE)) !=
              IOASID_OK);
    served("the device is bound", ioasid_bind(IOASID, id, EDU));
    ring = ioasid_events_open(events, 0x1000);
    for (unsigned i = 0; i < LENGTH; i++) {
        source[i] = (unsigned char)(i * 7);
    }
    transfer(SOURCE_IOVA, EDU_BUFFER);
}

/* After each transfer of the device's: what it has done, and the next one. */
static void transferred(void)
{
    static unsigned transfers;
    switch (++transfers) {
    case 1:
        transfer(EDU_BUFFER, SINK_IOVA);
        break;
    case 2:
        check("every byte is copied", right(sink) == LENGTH);
        for (unsigned i = 0; i < LENGTH; i++) {
            source[i] = 0;
        }
        transfer(EDU_BUFFER, SOURCE_IOVA);
        break;
    case 3:
        check("the source is not written", source[1] == 0);
        transfer(EDU_BUFFER, NOWHERE);
        break;
    default: {
        struct ioasid_event_entry event = { 0 };
        check("what was stopped is told", ioasid_events_take(&ring, &event) &&
                                              ioasid_event_head_event(event.head) == IOASID_EVENT_FAULT &&
                                              event.handle == id && event.address == NOWHERE);
        served("the id is freed", ioasid_free(IOASID, id));
        finish();
    }
    }
}

void notified(microkit_channel channel)
{
    if (channel == DEVICE) {
        uint32_t status = *(volatile uint32_t *)(device + EDU_STATUS);
        *(volatile uint32_t *)(device + EDU_ACKNOWLEDGE) = status;
        microkit_irq_ack(DEVICE);
        transferred();
    }
}
