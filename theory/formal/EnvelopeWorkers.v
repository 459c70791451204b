(** * The largest energy of G devices with a given idle share

    The fullest worker of every step has utilisation 1, a share [1 / G] of all worker-time; for the
    others Jensen's inequality holds.  Every overhead [c].

    Claim: [energy.envelope-workers]. *)

From Coq Require Import Reals Lra List Lia.
From evenkeel Require Import PowerLaw Energy Throughput.
Import ListNotations.
Open Scope R_scope.

(** The envelope of [G] workers: [T (P_idle + dP (1/G + (1 - 1/G) v^gamma))], with
    [v = 1 - f G / (G - 1)] the mean utilisation of the others. *)
Definition others (G T I : R) : R := 1 - I / T * (G / (G - 1)).

Definition envelope_of (d : device) (G T I : R) : R :=
  T * (P_idle d + (P_max d - P_idle d)
    * (1 / G + (1 - 1 / G) * power_of (others G T I) (gamma d))).

(** Time of all steps, [sum_k (c + M(k))]. *)
Definition fullest (c : R) (r : run) : R := sum (map (fun loads => c + top loads) r).

Lemma top_is_a_load : forall loads, 0 < top loads -> In (top loads) loads.
Proof.
  induction loads as [|x xs IH]; simpl; [lra|]. fold (top xs). intros H.
  destruct (Rle_lt_dec (top xs) x) as [A|A].
  - left. now rewrite Rmax_left.
  - right. rewrite Rmax_right by lra. apply IH. rewrite Rmax_right in H; lra.
Qed.

Lemma over_at_least_one : forall (h : R * R -> R) xs x,
  Forall (fun y => 0 <= h y) xs -> In x xs -> h x <= over h xs.
Proof.
  intros h xs x F. revert x. induction F as [|y ys A F IH]; intros x; [simpl; tauto|].
  rewrite over_cons. pose proof (over_nonnegative h ys F). simpl.
  intros [<-|J]; [lra|]. specialize (IH x J). lra.
Qed.

(** One worker of the step is full: what is not negative sums to at least its value there. *)
Lemma step_at_least : forall c loads (h : R -> R), 0 <= c -> Forall (fun x => 0 <= x) loads ->
  0 < top loads -> (forall u, 0 <= u <= 1 -> 0 <= h u) ->
  (c + top loads) * h 1
  <= over (fun x => fst x * h (snd x))
       (map (fun load => (c + top loads, load / top loads)) loads).
Proof.
  intros c loads h C F T H.
  pose proof (over_at_least_one (fun x => fst x * h (snd x))
    (map (fun load => (c + top loads, load / top loads)) loads) (c + top loads, 1)) as K.
  cbn [fst snd] in K. apply K.
  - apply Forall_map. apply Forall_forall. intros x I. cbn [fst snd].
    apply Rmult_le_pos; [lra|]. apply H, share_of_top.
    rewrite Forall_forall in F. split; [auto|now apply top_above].
  - apply in_map_iff. exists (top loads). split; [|now apply top_is_a_load].
    f_equal. field. lra.
Qed.

Lemma run_at_least : forall c r (h : R -> R), 0 <= c -> loaded r -> steps_positive r ->
  (forall u, 0 <= u <= 1 -> 0 <= h u) ->
  fullest c r * h 1 <= over (fun x => fst x * h (snd x)) (cells c r).
Proof.
  intros c r h C L P H. unfold fullest, cells.
  induction L as [|loads rest F L IH]; [unfold over; simpl; lra|].
  inversion P as [|? ? T P']; subst. simpl flat_map. rewrite over_app. cbn [map].
  change (sum (c + top loads :: map (fun loads => c + top loads) rest))
    with (c + top loads + sum (map (fun loads => c + top loads) rest)).
  pose proof (step_at_least c loads h C F T H). specialize (IH P'). lra.
Qed.

Lemma worker_time_with : forall G c r, on_workers G r ->
  over fst (cells c r) = INR G * fullest c r.
Proof.
  intros G c r. unfold fullest, cells. induction 1 as [|loads rest E F IH].
  - unfold over. simpl. ring.
  - simpl flat_map. rewrite over_app, IH. cbn [map].
    change (sum (c + top loads :: map (fun loads => c + top loads) rest))
      with (c + top loads + sum (map (fun loads => c + top loads) rest)).
    assert (X : forall m (xs : list R),
      over fst (map (fun load => (c + m, load / m)) xs) = INR (length xs) * (c + m)).
    { intros m xs. induction xs as [|y ys IHy]; [unfold over; simpl; ring|].
      cbn [map length]. rewrite over_cons, IHy, S_INR. cbn [fst]. ring. }
    rewrite X, E. ring.
Qed.

Lemma tangent_at : forall v u g, 0 < v -> 0 <= u -> 0 < g <= 1 ->
  power_of u g <= power_of v g * (1 - g) + power_of v g * g / v * u.
Proof.
  intros v u g V U G. assert (I : 0 < / v) by now apply Rinv_0_lt_compat.
  replace u with (v * (u / v)) at 1 by (field; lra).
  assert (0 <= u / v) by (unfold Rdiv; nra).
  rewrite power_of_mult by lra. pose proof (power_of_nonnegative v g).
  pose proof (below_tangent (u / v) g H G).
  apply Rle_trans with (power_of v g * (1 - g * (1 - u / v))); [nra|].
  right. field. lra.
Qed.

(** Sum of [w u^gamma], held below the tangent at any [v > 0] for all but the full workers. *)
Lemma powers_below : forall g c r v, 0 < g <= 1 -> 0 <= c -> loaded r -> steps_positive r -> 0 < v ->
  let k := power_of v g in
  over (fun x => fst x * power_of (snd x) g) (cells c r)
  <= k * (1 - g) * over fst (cells c r) + k * g / v * busy c r
     - fullest c r * (k * (1 - g) + k * g / v - 1).
Proof.
  intros g c r v G C L P V. cbv zeta. set (k := power_of v g).
  set (h := fun u => k * (1 - g) + k * g / v * u - power_of u g).
  assert (H : forall u, 0 <= u <= 1 -> 0 <= h u).
  { intros u U. unfold h. pose proof (tangent_at v u g V (proj1 U) G). fold k in H. lra. }
  pose proof (run_at_least c r h C L P H) as A.
  assert (E : over (fun x => fst x * h (snd x)) (cells c r)
    = k * (1 - g) * over fst (cells c r) + k * g / v * busy c r
      - over (fun x => fst x * power_of (snd x) g) (cells c r)).
  { unfold busy. rewrite <- over_linear.
    set (p := fun x : R * R => fst x * power_of (snd x) g).
    set (q := fun x : R * R => k * (1 - g) * fst x + k * g / v * (fst x * snd x)).
    replace (over q (cells c r) - over p (cells c r))
      with (over (fun x => 1 * q x + -1 * p x) (cells c r)) by (rewrite over_linear; ring).
    apply over_ext. apply Forall_forall. intros [w u] _. unfold p, q, h. simpl. ring. }
  rewrite E in A. unfold h in A. rewrite power_of_1 in A. lra.
Qed.

Lemma a_root : forall g x, 0 < g -> 0 < x -> exists v, 0 < v /\ power_of v g = x.
Proof.
  intros g x G X. exists (Rpower x (/ g)).
  assert (P : 0 < Rpower x (/ g)) by (unfold Rpower; apply exp_pos).
  split; [exact P|]. rewrite power_of_positive by exact P. rewrite Rpower_mult, Rinv_l by lra.
  now apply Rpower_1.
Qed.

(** Energy is at most the envelope of [G] workers, attained by one full worker and the others alike,
    for every [G >= 2] and every utilisation of the others. *)
Theorem energy_envelope_workers :
  (forall d c r G, valid d -> 0 <= c -> loaded r -> steps_positive r -> (2 <= G)%nat ->
     on_workers G r -> 0 < total c r ->
     energy d c r <= envelope_of d (INR G) (total c r) (idle c r)) /\
  (forall d n v, valid d -> (1 <= n)%nat -> 0 <= v <= 1 ->
     let r := equal_others n v in
     on_workers (S n) r /\ others (INR (S n)) (total 0 r) (idle 0 r) = v /\
     energy d 0 r = envelope_of d (INR (S n)) (total 0 r) (idle 0 r)).
Proof.
  split.
  - intros d c r G V C L P G2 W T. pose proof V as ([Q M] & _ & Ga).
    assert (N : 2 <= INR G) by (replace 2 with (INR 2) by (simpl; lra); now apply le_INR).
    pose proof (worker_time_with G c r W) as F. rewrite <- total_is_the_duration in F.
    set (t := total c r) in *. set (s := fullest c r) in *.
    set (v := others (INR G) t (idle c r)).
    assert (s0 : 0 < s) by (apply (Rmult_lt_reg_l (INR G)); lra).
    assert (B : busy c r = s + v * (t - s)).
    { replace (busy c r) with (t - idle c r) by (unfold t, total; ring).
      unfold v, others. replace t with (INR G * s) by lra. field. repeat split; lra. }
    assert (ts : s <= t - s) by nra.
    assert (v0 : 0 <= v).
    { pose proof (run_at_least c r (fun u => u) C L P ltac:(intros; lra)) as A.
      cbv beta in A. fold s in A.
      change (over (fun x => fst x * snd x) (cells c r)) with (busy c r) in A.
      rewrite B in A. nra. }
    set (X := over (fun x => fst x * power_of (snd x) (gamma d)) (cells c r)).
    assert (K : X <= s + (t - s) * power_of v (gamma d)).
    { destruct v0 as [v0|v0].
      - pose proof (powers_below (gamma d) c r v Ga C L P v0) as A. cbv zeta in A.
        fold X in A. rewrite <- total_is_the_duration in A. fold t s in A. rewrite B in A.
        eapply Rle_trans; [exact A|]. right. field. lra.
      - rewrite <- v0, power_of_0, Rmult_0_r, Rplus_0_r. rewrite <- v0 in B.
        apply Rnot_lt_le. intros A.
        destruct (a_root (gamma d) ((X - s) / (2 * (t - s)))) as (y & y0 & Y); [lra| |].
        { apply Rdiv_lt_0_compat; lra. }
        pose proof (powers_below (gamma d) c r y Ga C L P y0) as D. cbv zeta in D.
        fold X in D. rewrite <- total_is_the_duration in D. fold t s in D. rewrite B, Y in D.
        set (k := (X - s) / (2 * (t - s))) in *.
        assert (k0 : k * (t - s) = (X - s) / 2) by (unfold k; field; lra).
        assert (k1 : 0 <= k) by (rewrite <- Y; apply power_of_nonnegative).
        assert (D' : X <= k * (t - s) * (1 - gamma d) + s).
        { eapply Rle_trans; [exact D|]. right. field. lra. }
        rewrite k0 in D'. nra. }
    assert (E : energy d c r = P_idle d * t + (P_max d - P_idle d) * X).
    { unfold t. rewrite total_is_the_duration. unfold X, energy. rewrite <- over_linear.
      apply over_ext. apply Forall_forall. intros [w u] _. unfold power, dynamic. simpl. ring. }
    rewrite E. unfold envelope_of. fold v.
    replace (t * (P_idle d + (P_max d - P_idle d)
             * (1 / INR G + (1 - 1 / INR G) * power_of v (gamma d))))
      with (P_idle d * t + (P_max d - P_idle d)
             * (t / INR G + (t - t / INR G) * power_of v (gamma d))) by (field; lra).
    replace (t / INR G) with s by (rewrite F; field; lra).
    apply Rplus_le_compat_l. apply Rmult_le_compat_l; [lra|exact K].
  - intros d n v V N U r. destruct (usage_equal_others n v U) as (_ & B & T & E).
    fold r in B, T, E. assert (n1 : 1 <= INR n).
    { replace 1 with (INR 1) by reflexivity. now apply le_INR. }
    assert (I : idle 0 r = INR n * (1 - v)).
    { replace (idle 0 r) with (total 0 r - busy 0 r) by (unfold total; ring).
      rewrite T, B. ring. }
    assert (O : others (INR (S n)) (total 0 r) (idle 0 r) = v).
    { unfold others. rewrite T, I, S_INR. field. lra. }
    split; [|split; [exact O|]].
    + unfold on_workers, r, equal_others. constructor; [|constructor]. simpl.
      now rewrite repeat_length.
    + rewrite E. unfold envelope_of. rewrite O, T, S_INR. unfold dynamic. field. lra.
Qed.
