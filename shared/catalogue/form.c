#include "catalogue/form.h"

#include "base/ids.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 200 /* characters, where the item says nothing */

static enum err wrong(struct problem *p, const char *code, const char *field, const char *expected,
                      const char *found, const char *zh, const char *en)
{
    problem_set(p, 422, code, field, expected, found, zh, en);
    return ERR_INVALID;
}

/* Length in characters, not bytes. */
static size_t characters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool blank(const char *s)
{
    return !s || !s[strspn(s, " \t\r\n")];
}

static enum err check_citizen(const char *value, const char *field, struct problem *p)
{
    char number[19];
    const char *why = "";

    citizen_number_normalise(value ? value : "", number);
    if (citizen_number_check(number, &why))
        return OK;
    return wrong(p, "citizen-number-invalid", field,
                 "18 places by GB 11643: a real birth date and the right check character",
                 value ? why : "nothing", "公民身份号码不正确，请再核对一遍",
                 "The citizen number is not right; please check it");
}

static enum err check_applicant(const struct json *filing, struct problem *p)
{
    const struct json *a = json_get(filing, "applicant");
    const char *name = json_get_text(a, "name"), *mobile = json_get_text(a, "mobile");
    const char *type = json_get_text(a, "id_type"), *id = json_get_text(a, "id_number");

    if (!json_is_object(a))
        return wrong(p, "applicant-missing", "applicant", "an object", NULL, "缺少申请人信息",
                     "The applicant is missing");
    if (blank(name) || characters(name) > 60)
        return wrong(p, "name-invalid", "applicant.name", "1 to 60 characters", NULL, "请填写姓名",
                     "Enter the full name");
    if (!type || !strcmp(type, "111")) {
        enum err err = check_citizen(id, "applicant.id_number", p);
        if (err != OK)
            return err;
    } else if (strlen(type) != 3 || blank(id) || strlen(id) > 30) {
        return wrong(p, "id-invalid", "applicant.id_number",
                     "a certificate type of GA/T 2000.156 and its number", type,
                     "证件类型或号码不正确", "The certificate type or number is not right");
    }
    if (!mobile_check(mobile))
        return wrong(p, "mobile-invalid", "applicant.mobile", "11 digits beginning with 1", mobile,
                     "手机号码应为11位数字，以1开头",
                     "A mobile number has 11 digits and begins with 1");
    return OK;
}

static const struct json *by_key(const struct json *list, const char *key, const char *value)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const char *v = json_get_text(json_at(list, i), key);
        if (v && value && !strcmp(v, value))
            return json_at(list, i);
    }
    return NULL;
}

const struct json *form_material(const struct json *item, const char *code)
{
    return by_key(json_get(item, "materials"), "code", code);
}

static enum err check_value(const struct json *field, const struct json *value, struct problem *p)
{
    const char *type = json_get_text(field, "type"), *text = json_value_text(value);
    char path[128], limit[48];
    int day;
    int64_t max = json_get_int(field, "max", TEXT_MAX);

    snprintf(path, sizeof path, "form.%.100s", json_get_text(field, "name"));
    if (!strcmp(type, "number")) {
        if (!json_is_int(value) || json_value_int(value) < 0)
            return wrong(p, "field-invalid", path, "a whole number", text, "请填写整数",
                         "Enter a whole number");
        return OK;
    }
    if (!text)
        return wrong(p, "field-invalid", path, "text", NULL, "应填写文字", "Text is expected");
    if (strcmp(type, "textarea") && strpbrk(text, "\r\n\t"))
        return wrong(p, "text-control", path, "text on one line", NULL, "内容中不能有换行",
                     "There may be no line break here");
    if (!strcmp(type, "citizen_number"))
        return check_citizen(text, path, p);
    if (!strcmp(type, "mobile") && !mobile_check(text))
        return wrong(p, "mobile-invalid", path, "11 digits beginning with 1", text,
                     "手机号码不正确", "The mobile number is not right");
    if (!strcmp(type, "date") && !time_parse_date(text, &day))
        return wrong(p, "date-invalid", path, "a date YYYY-MM-DD", text, "日期不正确",
                     "The date is not right");
    if (!strcmp(type, "choice") && !by_key(json_get(field, "choices"), "value", text))
        return wrong(p, "choice-invalid", path, "one of the choices", text, "请从选项中选择",
                     "Choose one of the answers");
    if ((int64_t)characters(text) > max) {
        snprintf(limit, sizeof limit, "at most %lld characters", (long long)max);
        return wrong(p, "text-too-long", path, limit, NULL, "内容太长", "The text is too long");
    }
    return OK;
}

static enum err check_form(const struct json *item, const struct json *filing, struct problem *p)
{
    const struct json *fields = json_get(item, "form"), *form = json_get(filing, "form");
    char path[128];

    if (form && !json_is_object(form))
        return wrong(p, "form-invalid", "form", "an object", NULL, "表单格式不正确",
                     "The form is not an object");
    for (void *i = form ? json_iter(form) : NULL; i; i = json_iter_next(form, i))
        if (!by_key(fields, "name", json_iter_key(i))) {
            snprintf(path, sizeof path, "form.%.100s", json_iter_key(i));
            return wrong(p, "field-unknown", path, "a field of this item", json_iter_key(i),
                         "表单中有未知的栏目", "The form has a field that this item does not have");
        }
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i);
        const struct json *value = json_get(form, json_get_text(f, "name"));
        bool empty = !value || (json_is_text(value) && blank(json_value_text(value)));

        if (empty && json_get_bool(f, "required", false)) {
            snprintf(path, sizeof path, "form.%.100s", json_get_text(f, "name"));
            return wrong(p, "field-missing", path, json_get_text(f, "label"), NULL,
                         "有必填的栏目没有填写", "A required field is empty");
        }
        if (!empty) {
            enum err err = check_value(f, value, p);
            if (err != OK)
                return err;
        }
    }
    return OK;
}

static bool is(const struct json *o, const char *key, const char *value)
{
    const char *v = json_get_text(o, key);

    return v && !strcmp(v, value);
}

/* What one entry of the filing hands in for a material: is it allowed? */
static enum err check_given(const struct json *m, const struct json *given, const char *path,
                            struct problem *p)
{
    if (json_get(given, "documents") && !json_is_array(json_get(given, "documents")))
        return wrong(p, "documents-invalid", path, "a list of digests", NULL, "材料文件列表不正确",
                     "The documents are not a list");
    if (json_count(json_get(given, "documents")))
        return OK;
    if (json_get_bool(given, "later", false) && !is(m, "necessity", "deferrable"))
        return wrong(p, "material-not-deferrable", path, "the paper itself", "later",
                     "这份材料不能后补", "This paper may not follow later");
    if (json_get_bool(given, "commitment", false) && !is(m, "obtain_by", "commitment"))
        return wrong(p, "material-no-commitment", path, "the paper itself", "commitment",
                     "这份材料不能用承诺代替", "A promise does not stand for this paper");
    return OK;
}

static enum err check_materials(const struct json *item, const struct json *filing,
                                struct problem *p)
{
    const struct json *list = json_get(filing, "materials"), *wanted = json_get(item, "materials");
    char path[128];

    if (list && !json_is_array(list))
        return wrong(p, "materials-invalid", "materials", "a list", NULL, "材料列表不正确",
                     "The materials are not a list");
    for (size_t i = 0; i < json_count(list); i++) {
        const char *code = json_get_text(json_at(list, i), "code");
        const struct json *m = form_material(item, code);
        enum err err;

        snprintf(path, sizeof path, "materials[%zu]", i);
        if (!m || by_key(list, "code", code) != json_at(list, i))
            return wrong(p, m ? "material-twice" : "material-unknown", path,
                         "a material of this item, once", code, "材料不属于本事项或重复",
                         "Not a paper of this item, or named twice");
        if ((err = check_given(m, json_at(list, i), path, p)) != OK)
            return err;
    }
    for (size_t i = 0; i < json_count(wanted); i++) {
        const struct json *m = json_at(wanted, i),
                          *given = by_key(list, "code", json_get_text(m, "code"));

        if (!is(m, "necessity", "required") || is(m, "obtain_by", "shared_data") ||
            is(m, "obtain_by", "assist_request") || json_count(json_get(given, "documents")) ||
            json_get_bool(given, "commitment", false))
            continue;
        snprintf(path, sizeof path, "materials.%.100s", json_get_text(m, "code"));
        return wrong(p, "material-missing", path, json_get_text(m, "name"), NULL, "缺少必交的材料",
                     "A required paper is missing");
    }
    return OK;
}

static enum err check_delivery(const struct json *item, const struct json *filing,
                               struct problem *p)
{
    const struct json *ways = json_get(item, "delivery"), *d = json_get(filing, "delivery");
    const char *method = json_get_text(d, "method");
    bool offered = false;

    for (size_t i = 0; i < json_count(ways); i++)
        offered |= method && !strcmp(method, json_value_text(json_at(ways, i)));
    if (!offered)
        return wrong(p, "delivery-invalid", "delivery.method", "a way that the item offers", method,
                     "请选择送达方式", "Choose how to get the result");
    if (strcmp(method, "pickup") && blank(json_get_text(d, "address")))
        return wrong(p, "address-missing", "delivery.address", "where to bring it", NULL,
                     "请填写送达地址", "Enter the delivery address");
    return OK;
}

enum err form_check(const struct json *item, const struct json *filing, struct problem *p)
{
    enum err err = check_applicant(filing, p);

    if (err == OK)
        err = check_form(item, filing, p);
    if (err == OK)
        err = check_materials(item, filing, p);
    return err == OK ? check_delivery(item, filing, p) : err;
}

enum err form_check_document(const struct json *material, const char *media_type, int64_t bytes,
                             struct problem *p)
{
    const struct json *accept = json_get(material, "accept");
    int64_t max = json_get_int(material, "max_bytes", 10 << 20);
    char limit[48], size[32];

    for (size_t i = 0; media_type && i < json_count(accept); i++) {
        if (strcmp(media_type, json_value_text(json_at(accept, i))))
            continue;
        if (bytes <= max)
            return OK;
        snprintf(limit, sizeof limit, "at most %lld bytes", (long long)max);
        snprintf(size, sizeof size, "%lld", (long long)bytes);
        problem_set(p, 413, "document-too-large", "documents", limit, size, "文件太大",
                    "The file is too large");
        return ERR_INVALID;
    }
    problem_set(p, 415, "document-type", "documents",
                "a type that the item accepts, told by the content",
                media_type ? media_type : "unknown", "文件类型不符合要求",
                "The item does not accept this kind of file");
    return ERR_INVALID;
}
