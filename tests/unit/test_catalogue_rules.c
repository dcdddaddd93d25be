/* The pure rules, on the real catalogue of schema/catalogue. */
#include "base/mem.h"
#include "base/time.h"
#include "catalogue/calendar.h"
#include "catalogue/filetype.h"
#include "catalogue/form.h"
#include "catalogue/lint.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct problem problem;

static struct json *load(const char *path)
{
    struct buf b = {0};
    struct json *j = NULL;
    struct errmsg e = {""};
    FILE *f = fopen(path, "r");
    char block[4096];
    size_t n;

    assert_non_null(f);
    while ((n = fread(block, 1, sizeof block, f)))
        buf_append(&b, block, n);
    fclose(f);
    if (json_parse((char *)b.data, b.len, &j, &e) != OK)
        fail_msg("%s: %s", path, e.text);
    buf_free(&b);
    return j;
}

static void every_item_may_be_published(void **state)
{
    DIR *d = opendir("schema/catalogue/items");
    struct dirent *f;
    int n = 0;

    (void)state;
    assert_non_null(d);
    while ((f = readdir(d))) {
        char path[300];
        struct json *item;
        if (f->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "schema/catalogue/items/%.200s", f->d_name);
        item = load(path);
        if (lint_item(item, &problem) != OK)
            fail_msg("%s: %s: %s", path, problem.field, problem.expected);
        json_free(item);
        n++;
    }
    closedir(d);
    assert_true(n >= 12);
}

static void lint_names_the_fault(void **state)
{
    struct json *item = load("schema/catalogue/items/birth-registration-first.json");

    (void)state;
    json_set_int(json_get(item, "promised_limit"), "value", 99);
    assert_int_equal(lint_item(item, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "promised_limit");
    json_set_int(json_get(item, "promised_limit"), "value", 3); /* instant, yet three days */
    assert_int_equal(lint_item(item, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "case_kind");
    json_free(item);
}

static struct json *parse(const char *text)
{
    struct json *j = NULL;
    struct errmsg e = {""};

    if (json_parse(text, strlen(text), &j, &e) != OK)
        fail_msg("%s", e.text);
    return j;
}

static const char good[] =
    "{\"applicant\":{\"name\":\"林小溪\",\"id_type\":\"111\",\"id_number\":\"339900199907040057\","
    "\"mobile\":\"10000000001\"},"
    "\"form\":{\"spouse_name\":\"周大海\",\"spouse_id_number\":\"339900198506130110\",\"marriage_"
    "date\":\"2025-05-20\",\"register_kind\":\"before\"},"
    "\"materials\":[{\"code\":\"statement\",\"commitment\":true},{\"code\":\"residence\",\"later\":"
    "true}],"
    "\"delivery\":{\"method\":\"agent\",\"address\":\"葭沚街道示例路1号\"}}";

/* The good filing with `from` replaced by `to`: which field is refused? */
static void refused(const char *from, const char *to, const char *field)
{
    struct json *item = load("schema/catalogue/items/birth-registration-first.json"), *filing;
    const char *at = strstr(good, from);
    struct buf b = {0};

    assert_non_null(at);
    buf_append(&b, good, (size_t)(at - good));
    buf_puts(&b, to);
    buf_puts(&b, at + strlen(from));
    filing = parse(buf_text(&b));
    memset(&problem, 0, sizeof problem);
    assert_int_equal(form_check(item, filing, &problem), ERR_INVALID);
    assert_int_equal(problem.status, 422);
    assert_string_equal(problem.field, field);
    assert_true(problem.zh[0] && problem.en[0]);
    json_free(filing);
    json_free(item);
    buf_free(&b);
}

static void a_right_filing_passes(void **state)
{
    struct json *item = load("schema/catalogue/items/birth-registration-first.json"),
                *filing = parse(good);

    (void)state;
    if (form_check(item, filing, &problem) != OK)
        fail_msg("%s: %s", problem.field, problem.expected);
    json_free(filing);
    json_free(item);
}

static void every_fault_names_its_field(void **state)
{
    (void)state;
    refused("339900199907040057", "339900198506130111", "applicant.id_number"); /* check */
    refused("339900199907040057", "331002190002290014", "applicant.id_number"); /* 29 Feb 1900 */
    refused("10000000001", "1234", "applicant.mobile");
    refused("林小溪", "  ", "applicant.name");
    refused("\"spouse_name\":\"周大海\",", "", "form.spouse_name");
    refused("2025-05-20", "2025-02-30", "form.marriage_date");
    refused("\"before\"", "\"maybe\"", "form.register_kind");
    refused("\"spouse_name\"", "\"spouse\"", "form.spouse");
    refused("{\"code\":\"statement\",\"commitment\":true},", "", "materials.statement");
    refused("\"commitment\":true", "\"later\":true", "materials[0]");
    refused("\"code\":\"residence\"", "\"code\":\"passport\"", "materials[1]");
    refused("\"code\":\"residence\"", "\"code\":\"statement\"", "materials[1]");
    refused("\"agent\"", "\"pigeon\"", "delivery.method");
    refused("葭沚街道示例路1号", "", "delivery.address");
}

static void papers_are_judged_by_content_and_size(void **state)
{
    struct json *item = load("schema/catalogue/items/single-child-parent-card.json");
    const struct json *photo = form_material(item, "photo");

    (void)state;
    assert_string_equal(filetype_of((const unsigned char *)"\xff\xd8\xff\xe0", 4), "image/jpeg");
    assert_string_equal(filetype_of((const unsigned char *)"%PDF-1.4", 8), "application/pdf");
    assert_null(filetype_of((const unsigned char *)"MZ picture.jpg", 14));
    assert_null(filetype_of((const unsigned char *)"\xff\xd8", 2));
    assert_int_equal(form_check_document(photo, "image/png", 5000, &problem), OK);
    assert_int_equal(form_check_document(photo, "application/pdf", 5000, &problem), ERR_INVALID);
    assert_int_equal(problem.status, 415);
    assert_int_equal(form_check_document(photo, "image/png", 11 << 20, &problem), ERR_INVALID);
    assert_int_equal(problem.status, 413);
    assert_int_equal(form_check_document(photo, NULL, 1, &problem), ERR_INVALID);
    json_free(item);
}

static void working_days(void **state)
{
    static const struct {
        const char *start;
        int n;
        const char *due;
    } vectors[] = {
        {"2017-09-28", 5, "2017-10-11"}, {"2017-01-25", 5, "2017-02-07"},
        {"2026-02-13", 3, "2026-02-25"}, {"2026-04-30", 5, "2026-05-11"},
        {"2026-09-30", 5, "2026-10-13"}, {"2026-01-05", 20, "2026-02-02"},
    };
    struct calendar *c = calendar_create();
    const char *const years[] = {"schema/catalogue/calendar/2017.json",
                                 "schema/catalogue/calendar/2026.json"};
    int start, due;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct json *y = load(years[i]);
        assert_int_equal(calendar_load(c, y, &problem), OK);
        json_free(y);
    }
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[11];
        assert_true(time_parse_date(vectors[i].start, &start));
        assert_int_equal(calendar_add(c, start, vectors[i].n, &due, &problem), OK);
        time_date_of_days(due, text);
        assert_string_equal(text, vectors[i].due);
    }
    assert_true(time_parse_date("2026-12-28", &start)); /* past the last loaded year: no guess */
    assert_int_equal(calendar_add(c, start, 20, &due, &problem), ERR_NOT_FOUND);
    assert_string_equal(problem.found, "2027");
    calendar_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_may_be_published),
        cmocka_unit_test(lint_names_the_fault),
        cmocka_unit_test(a_right_filing_passes),
        cmocka_unit_test(every_fault_names_its_field),
        cmocka_unit_test(papers_are_judged_by_content_and_size),
        cmocka_unit_test(working_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
