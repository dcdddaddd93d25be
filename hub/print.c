/* cairo draws, pango sets the text, libqrencode and zint make the codes. */
#include "print.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>
#include <zint.h>

#define MM (72.0 / 25.4)
#define FONT "WenQuanYi Micro Hei"

struct page {
    cairo_surface_t *surface;
    cairo_t *cr;
    double width; /* points */
};

static cairo_status_t take(void *pdf, const unsigned char *p, unsigned n)
{
    buf_append(pdf, p, n);
    return CAIRO_STATUS_SUCCESS;
}

static void begin(struct page *p, struct buf *pdf, double width_mm, double height_mm,
                  const char *title)
{
    p->width = width_mm * MM;
    p->surface = cairo_pdf_surface_create_for_stream(take, pdf, p->width, height_mm * MM);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, title);
    p->cr = cairo_create(p->surface);
}

static enum err end(struct page *p, struct errmsg *e)
{
    cairo_show_page(p->cr);
    cairo_status_t status = cairo_status(p->cr);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(p->surface);
    cairo_surface_destroy(p->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        return OK;
    errmsg_set(e, "draw the page: %s", cairo_status_to_string(status));
    return ERR_IO;
}

/* Text in a box that is width wide; returns the height used, all in points. */
static double text(struct page *p, double x, double y, double width, double size, bool bold,
                   PangoAlignment align, const char *s)
{
    PangoLayout *l = pango_cairo_create_layout(p->cr);
    PangoFontDescription *f = pango_font_description_from_string(FONT);
    int w, h;

    pango_font_description_set_absolute_size(f, size * PANGO_SCALE);
    pango_font_description_set_weight(f, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(l, f);
    pango_layout_set_width(l, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(l, align);
    pango_layout_set_text(l, s ? s : "", -1);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, l);
    pango_layout_get_pixel_size(l, &w, &h);
    pango_font_description_free(f);
    g_object_unref(l);
    return h;
}

static void frame(struct page *p, double inset, double height, double line)
{
    cairo_set_line_width(p->cr, line);
    cairo_rectangle(p->cr, inset, inset, p->width - 2 * inset, height - 2 * inset);
    cairo_stroke(p->cr);
}

static bool qr(struct page *p, double x, double y, double size, const char *s)
{
    QRcode *q = QRcode_encodeString(s, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

    if (!q)
        return false;
    double dot = size / q->width;
    for (int r = 0; r < q->width; r++)
        for (int c = 0; c < q->width; c++)
            if (q->data[r * q->width + c] & 1)
                cairo_rectangle(p->cr, x + c * dot, y + r * dot, dot, dot);
    cairo_fill(p->cr);
    QRcode_free(q);
    return true;
}

static bool code128(struct page *p, double x, double y, double width, double height, const char *s)
{
    struct zint_symbol *z = ZBarcode_Create();

    z->symbology = BARCODE_CODE128;
    z->show_hrt = 0;
    bool good = ZBarcode_Encode_and_Buffer_Vector(z, (const unsigned char *)s, 0, 0) < ZINT_ERROR &&
                z->vector;
    if (good) {
        double scale = width / (double)z->vector->width;
        double tall = 0;
        for (struct zint_vector_rect *r = z->vector->rectangles; r; r = r->next)
            tall = r->height > tall ? r->height : tall;
        for (struct zint_vector_rect *r = z->vector->rectangles; r; r = r->next)
            cairo_rectangle(p->cr, x + r->x * scale, y, r->width * scale,
                            height * (tall > 0 ? r->height / tall : 1));
        cairo_fill(p->cr);
    }
    ZBarcode_Delete(z);
    return good;
}

enum err print_certificate(const struct json *show, struct buf *pdf, struct errmsg *e)
{
    static const char *const rows[][2] = {
        {"编　　号", "number"},      {"持 有 人", "holder_name"}, {"公民身份号码", "holder_number"},
        {"事　　项", "item_name"},   {"签发日期", "issued_on"},   {"有效期至", "valid_until"},
        {"签发机关", "issuer_name"},
    };
    const char *title = json_get_text(show, "result_name"),
               *title_en = json_get_text(show, "result_name_en");
    const char *token = json_get_text(show, "token"), *state = json_get_text(show, "state");
    struct page p;

    if (!title)
        title = json_get_text(show, "item_name");
    begin(&p, pdf, 210, 297, title ? title : "certificate");
    frame(&p, 12 * MM, 297 * MM, 2);
    frame(&p, 14 * MM, 297 * MM, 0.5);
    double y = 45 * MM;
    y += text(&p, 20 * MM, y, 170 * MM, 34, true, PANGO_ALIGN_CENTER, title) + 2 * MM;
    if (title_en)
        y += text(&p, 20 * MM, y, 170 * MM, 13, false, PANGO_ALIGN_CENTER, title_en);
    y += 18 * MM;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = json_get_text(show, rows[i][1]);
        if (!value)
            continue;
        text(&p, 32 * MM, y, 38 * MM, 15, false, PANGO_ALIGN_LEFT, rows[i][0]);
        double h = text(&p, 72 * MM, y, 105 * MM, 15, i == 0, PANGO_ALIGN_LEFT, value);
        y += (h > 15 ? h : 15) + 6 * MM;
    }
    if (state && strcmp(state, "valid")) {
        cairo_set_source_rgb(p.cr, 0.7, 0, 0);
        text(&p, 20 * MM, y, 170 * MM, 26, true, PANGO_ALIGN_CENTER, "已撤销 REVOKED");
        cairo_set_source_rgb(p.cr, 0, 0, 0);
    }
    if (token && !qr(&p, 80 * MM, 200 * MM, 50 * MM, token)) {
        cairo_destroy(p.cr);
        cairo_surface_destroy(p.surface);
        errmsg_set(e, "the code of the certificate cannot be drawn");
        return ERR_INVALID;
    }
    text(&p, 20 * MM, 255 * MM, 170 * MM, 10, false, PANGO_ALIGN_CENTER,
         "扫描二维码，在街道站点的“验证”中核对真伪。\nScan the code and check it at the street's "
         "site.");
    return end(&p, e);
}

/* The first character and stars; the last four digits of a telephone. */
static void mask_name(const char *name, char *out, size_t cap)
{
    size_t first = name && name[0] ? 1 : 0;

    while (first && ((unsigned char)name[first] & 0xc0) == 0x80)
        first++;
    snprintf(out, cap, "%.*s**", (int)first, name ? name : "");
}

static void mask_mobile(const char *mobile, char *out, size_t cap)
{
    size_t n = mobile ? strlen(mobile) : 0;

    snprintf(out, cap, "%.3s****%s", n > 7 ? mobile : "", n > 7 ? mobile + n - 4 : "");
}

enum err print_label(const struct json *show, struct buf *pdf, struct errmsg *e)
{
    const char *waybill = json_get_text(show, "waybill"), *id = json_get_text(show, "id");
    const char *number = waybill ? waybill : id;
    char name[64], mobile[32], line[160];
    struct page p;

    begin(&p, pdf, 100, 150, number ? number : "label");
    frame(&p, 3 * MM, 150 * MM, 1);
    text(&p, 6 * MM, 7 * MM, 88 * MM, 18, true, PANGO_ALIGN_LEFT, "家门口 · 办事结果送达");
    if (!number || !code128(&p, 10 * MM, 24 * MM, 80 * MM, 22 * MM, number)) {
        cairo_destroy(p.cr);
        cairo_surface_destroy(p.surface);
        errmsg_set(e, "the number of the delivery cannot be drawn as a barcode");
        return ERR_INVALID;
    }
    text(&p, 6 * MM, 48 * MM, 88 * MM, 14, true, PANGO_ALIGN_CENTER, number);
    mask_name(json_get_text(show, "recipient"), name, sizeof name);
    mask_mobile(json_get_text(show, "mobile"), mobile, sizeof mobile);
    snprintf(line, sizeof line, "收件人　%s　%s", name, mobile);
    double y = 60 * MM;
    y += text(&p, 6 * MM, y, 88 * MM, 14, true, PANGO_ALIGN_LEFT, line) + 2 * MM;
    y += text(&p, 6 * MM, y, 88 * MM, 13, false, PANGO_ALIGN_LEFT, json_get_text(show, "address")) +
         6 * MM;
    snprintf(line, sizeof line, "寄件　%s",
             json_get_text(show, "sender_name") ? json_get_text(show, "sender_name") : "");
    y += text(&p, 6 * MM, y, 88 * MM, 12, false, PANGO_ALIGN_LEFT, line) + 2 * MM;
    snprintf(line, sizeof line, "办件　%s",
             json_get_text(show, "case_no") ? json_get_text(show, "case_no") : "");
    y += text(&p, 6 * MM, y, 88 * MM, 11, false, PANGO_ALIGN_LEFT, line) + 4 * MM;
    text(&p, 6 * MM, y, 88 * MM, 11, false, PANGO_ALIGN_LEFT,
         "当面核对收件人取件码后交付。\nHand over against the recipient's code.");
    return end(&p, e);
}
