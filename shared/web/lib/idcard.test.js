import { test } from 'node:test'
import assert from 'node:assert/strict'
import { fault } from './idcard.js'

test('valid numbers', () => {
  for (const n of ['11010519491231002X', '339900198506130284', '3399 0019 8506 1300 9x', '339900201202290240'])
    assert.equal(fault(n), null, n)
})
test('each fault has its own word', () => {
  assert.equal(fault('33990019850613011'), 'id.length')
  assert.equal(fault('331002190002290014'), 'id.date')
  assert.equal(fault('339900198506130111'), 'id.check')
})
