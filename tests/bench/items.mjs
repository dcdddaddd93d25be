// Items of the catalogue and invented people for the benchmarks.

/** One that a community decides and that needs no papers from the applicant. */
export async function plainItem(client) {
  for (const i of (await client.get('/items')).items) {
    const whole = await client.get('/items/' + i.code)
    if (whole.materials.every(m => m.obtain_by === 'shared_data' || m.obtain_by === 'commitment' || m.necessity !== 'required') && whole.decided_at.includes('community'))
      return whole
  }
  throw new Error('no item can be filed without papers')
}

/** Person number i, of a region that nobody lives in. */
export function person(i) {
  const w = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const base = '339900' + (19500101 + (i % 28) + 100 * (i % 12) + 10000 * (i % 50)) + String(i % 1000).padStart(3, '0')
  return { name: '周大海', id_type: '111', id_number: base + '10X98765432'[w.reduce((a, x, k) => a + x * +base[k], 0) % 11], mobile: '1' + String(i).padStart(10, '0') }
}
