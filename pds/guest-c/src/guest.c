/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the ioasid service in C, on libmicrokit's names alone. It has PASIDs and nothing to map or bind: what
 * it checks is the protocol, as a client in C sees it.
 */
#include <ioasid/client.h>
#include <ioasid/events.h>
#include <ioasid/find.h>
#include <microkit.h>

#include "channels.h"
#include "log.h"

/* Set from system.xml: where the pages are mapped that the server writes. */
void *events;
void *find;

#define PAGE_BYTES 0x1000
#define ALL_IDS 1, 0xfffff

/* More ids than the limit in ioasid.toml. */
#define MANY 64

static void say_hello(void)
{
    struct ioasid_usage usage;
    struct ioasid_welcome welcome = { 0 };
    check_code("before HELLO: ServerRestarted", ioasid_own_usage(IOASID, &usage), IOASID_SERVER_RESTARTED);
    check_code("another version: UnsupportedVersion", ioasid_hello(IOASID, IOASID_VERSION + 1, &welcome),
               IOASID_UNSUPPORTED_VERSION);
    check_code("HELLO is answered", ioasid_hello(IOASID, IOASID_VERSION, &welcome), IOASID_OK);
    check_equal("PASIDs have 20 bits", welcome.pasid_bits, 20);
    check_equal("no device is granted", welcome.devices, 0);
    check_equal("no region is granted", welcome.regions, 0);
}

static ioasid_handle_t own_an_id(void)
{
    struct ioasid_allocated id = { 0 };
    struct ioasid_found found = { 0 };
    struct ioasid_references references = { 0 };
    check_code("an id is allocated", ioasid_alloc(IOASID, ALL_IDS, 0x1234, &id), IOASID_OK);
    uint32_t pasid = ioasid_handle_pasid(id.handle);
    log_text("allocated PASID ");
    log_number(pasid);
    log_end();
    check_code("it is found", ioasid_find(IOASID, pasid, &found), IOASID_OK);
    check_equal("by its handle", found.handle, id.handle);
    check_equal("with its data", found.data, 0x1234);
    check_code("its data can be replaced", ioasid_set_data(IOASID, id.handle, 0x5678), IOASID_OK);
    check_code("it is found again", ioasid_find(IOASID, pasid, &found), IOASID_OK);
    check_equal("with the new data", found.data, 0x5678);
    check_code("a reference is taken", ioasid_get(IOASID, id.handle, &references), IOASID_OK);
    check_equal("two are held", references.count, 2);
    check_code("one is dropped", ioasid_put(IOASID, id.handle, &references), IOASID_OK);
    check_equal("one is left", references.count, 1);
    return id.handle;
}

static void find_in_the_page(ioasid_handle_t id)
{
    uint64_t data = 0;
    check_equal("the id is in the own page", ioasid_find_in_page(find, PAGE_BYTES, id, &data), true);
    check_equal("with its data there", data, 0x5678);
    ioasid_handle_t other =
        ioasid_handle(ioasid_handle_pasid(id), (uint16_t)(ioasid_handle_generation(id) + 1), ioasid_handle_epoch(id));
    check_equal("another generation is not", ioasid_find_in_page(find, PAGE_BYTES, other, &data), false);
}

static void ask_for_what_is_not_granted(ioasid_handle_t id)
{
    struct ioasid_allocated none;
    struct ioasid_usage usage;
    uint32_t pasid = ioasid_handle_pasid(id);
    ioasid_extent_t page = ioasid_extent(1, IOASID_ACCESS_READ_WRITE);
    check_code("an id that is taken: NoSpace", ioasid_alloc(IOASID, pasid, pasid, 0, &none), IOASID_NO_SPACE);
    check_code("min above max: InvalidRange", ioasid_alloc(IOASID, 9, 8, 0, &none), IOASID_INVALID_RANGE);
    check_code("no device: NoSuchDevice", ioasid_bind(IOASID, id, 0), IOASID_NO_SUCH_DEVICE);
    check_code("no region: NoSuchRegion", ioasid_map(IOASID, id, 0, ioasid_region_offset(0, 0), page),
               IOASID_NO_SUCH_REGION);
    check_code("nothing is mapped: NotMapped", ioasid_unmap(IOASID, id, 0, 1), IOASID_NOT_MAPPED);
    check_code("another set: NotPermitted", ioasid_set_usage(IOASID, 0, &usage), IOASID_NOT_PERMITTED);
}

/* The code that a message of this label and one word is answered with. */
static enum ioasid_code send(uint64_t label, uint64_t word)
{
    microkit_mr_set(0, word);
    return ioasid_code_of_label(microkit_msginfo_get_label(microkit_ppcall(IOASID, microkit_msginfo_new(label, 1))));
}

static void send_what_is_no_message(void)
{
    check_code("an unknown label: UnknownOperation", send(0xfff, 0), IOASID_UNKNOWN_OPERATION);
    check_code("a word too few: WrongLength", send(IOASID_OP_ALLOC, 1), IOASID_WRONG_LENGTH);
    check_code("a bit too many: BadField", send(IOASID_OP_FIND, UINT64_C(1) << 32), IOASID_BAD_FIELD);
}

static void exceed_the_quota(void)
{
    static struct ioasid_allocated ids[MANY];
    struct ioasid_usage before = { 0 }, after = { 0 };
    check_code("the own share can be read", ioasid_own_usage(IOASID, &before), IOASID_OK);
    unsigned held = 0, freed = 0;
    enum ioasid_code code = IOASID_OK;
    while (held < MANY && (code = ioasid_alloc(IOASID, ALL_IDS, 0, &ids[held])) == IOASID_OK) {
        held++;
    }
    check_code("beyond the limit: QuotaExceeded", code, IOASID_QUOTA_EXCEEDED);
    check_equal("the limit is reached, not passed", before.used + held, before.limit);
    for (unsigned i = 0; i < held; i++) {
        freed += ioasid_free(IOASID, ids[i].handle) == IOASID_OK;
    }
    check_equal("all of them can be freed", freed, held);
    check_code("the own share can be read", ioasid_own_usage(IOASID, &after), IOASID_OK);
    check_equal("use is as before", after.used, before.used);
    check_equal("the peak is the limit", after.peak, before.limit);
}

/* Takes the next event, which is to be of this kind and id. */
static void check_event(const char *statement, struct ioasid_events *ring, enum ioasid_event kind, ioasid_handle_t id)
{
    struct ioasid_event_entry event = { 0 };
    bool taken = ioasid_events_take(ring, &event);
    check_equal(statement, taken && ioasid_event_head_event(event.head) == kind && event.handle == id, true);
}

static void free_and_try_again(ioasid_handle_t id)
{
    struct ioasid_events ring = ioasid_events_open(events, PAGE_BYTES);
    struct ioasid_allocated next = { 0 };
    uint32_t pasid = ioasid_handle_pasid(id);
    uint64_t data;
    check_code("events are subscribed to", ioasid_subscribe(IOASID, 2, 0), IOASID_OK);
    check_code("the id is freed", ioasid_free(IOASID, id), IOASID_OK);
    check_event("which is an event", &ring, IOASID_EVENT_FREE, id);
    check_equal("it is not in the page any more", ioasid_find_in_page(find, PAGE_BYTES, id, &data), false);
    check_code("a second free: NotFound", ioasid_free(IOASID, id), IOASID_NOT_FOUND);
    check_code("its number can be had again", ioasid_alloc(IOASID, pasid, pasid, 0, &next), IOASID_OK);
    check_event("which is an event, too", &ring, IOASID_EVENT_ALLOC, next.handle);
    check_code("the old handle: Stale", ioasid_set_data(IOASID, id, 1), IOASID_STALE);
    check_code("the new one is freed", ioasid_free(IOASID, next.handle), IOASID_OK);
    check_event("which is an event again", &ring, IOASID_EVENT_FREE, next.handle);
    check_equal("no event was lost", ring.lost, 0);
    check_code("no more events are wanted", ioasid_unsubscribe(IOASID), IOASID_OK);
}

void init(void)
{
}

/* The supervisor starts the guest. The server's notifications say what is read from the ring anyway. */
void notified(microkit_channel channel)
{
    if (channel != SUPERVISOR) {
        return;
    }
    log_text(microkit_name);
    log_text(" is written in C");
    log_end();
    say_hello();
    ioasid_handle_t id = own_an_id();
    find_in_the_page(id);
    ask_for_what_is_not_granted(id);
    send_what_is_no_message();
    exceed_the_quota();
    free_and_try_again(id);
    check_report();
}
